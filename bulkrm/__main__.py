"""`python -m bulkrm` is `bulkrm`."""

from bulkrm.cli.main import main

if __name__ == "__main__":
    main()
