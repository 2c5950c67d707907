"""AMD SEV-SNP: report layout, platform versions, verification."""
