# The only way to make a finding: its shape is checked, and anything else is an error of the rule.
package plangate.lib

# About a resource.
finding(resource, message) := {"address": resource.address, "message": message}

# About one attribute of a resource; `path` is a JSON Pointer, e.g. "/publicly_accessible".
finding_at(resource, message, path) := {"address": resource.address, "message": message, "path": path}

# About the plan as a whole.
plan_finding(message) := {"address": "", "message": message}
