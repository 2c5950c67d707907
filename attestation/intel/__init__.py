"""Intel TDX: quote layout, platform certificates, signed statements about firmware, verification."""
