"""What runs somewhere: files of other tools become references, and references become what stays. Pure."""
