"""What the Pulumi previews of the fixtures hold. The first word of a name is what the rule says of the resource."""
