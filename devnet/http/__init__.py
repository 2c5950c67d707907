"""The Internet Computer's HTTP interface: requests in, certified answers out."""
