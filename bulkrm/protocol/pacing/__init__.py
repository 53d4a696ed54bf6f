"""The rate of requests, and the number of requests in flight: arithmetic with the time as an argument."""
