"""The public interface, which `bulkrm` exports: programs call it, and so does the command line."""
