"""What every table, column and function of the warehouse means: read from ``sql/*.yml``, said in the warehouse as
comments and constraints, and shown as a page."""
