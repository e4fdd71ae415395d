"""Worker processes from the side of the endpoint: started, lent, asked, and killed."""
