"""What the fixtures of Azure and Google set, and what each rule says of it."""
