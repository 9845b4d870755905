"""Recipients that come as a file: uploaded to the bucket, checked as a stream, and put in place of the list before."""
