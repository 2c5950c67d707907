"""HTTP outcalls: requests that canisters make to servers, here on this machine only."""
