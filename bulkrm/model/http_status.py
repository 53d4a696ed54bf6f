"""The HTTP statuses that bulkrm decides by, as plain numbers: members of `http.HTTPStatus` are slower to look up and compare.

Their names are those of RFC 9110 section 15, in capitals. The first one of a class stands for the class in comparisons:
everything below `MULTIPLE_CHOICES` is a success.
"""

OK = 200
MULTIPLE_CHOICES = 300
BAD_REQUEST = 400
UNAUTHORIZED = 401
FORBIDDEN = 403
NOT_FOUND = 404
METHOD_NOT_ALLOWED = 405
REQUEST_TIMEOUT = 408
TOO_MANY_REQUESTS = 429
INTERNAL_SERVER_ERROR = 500
