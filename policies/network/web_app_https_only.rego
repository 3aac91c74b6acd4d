# METADATA
# title: Web and function apps of Azure answer over HTTPS only
# description: >-
#   An app answers on plain HTTP as well unless told otherwise. Session cookies, keys of functions and personal data
#   can then be read and changed on the way.
# related_resources:
#   - ref: https://learn.microsoft.com/azure/app-service/configure-ssl-bindings#enforce-https
#   - ref: https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/linux_web_app
#   - ref: https://github.com/Azure/azure-policy/tree/master/built-in-policies/policySetDefinitions/Regulatory%20Compliance
#     description: >-
#       What maps "App Service apps should only be accessible over HTTPS", and the same for function apps, to the
#       frameworks.
# custom:
#   id: web-app-https-only
#   severity: high
#   enforcement: overridable
#   types:
#     - azurerm_app_service
#     - azurerm_app_service_slot
#     - azurerm_function_app
#     - azurerm_function_app_flex_consumption
#     - azurerm_function_app_slot
#     - azurerm_linux_function_app
#     - azurerm_linux_function_app_slot
#     - azurerm_linux_web_app
#     - azurerm_linux_web_app_slot
#     - azurerm_logic_app_standard
#     - azurerm_windows_function_app
#     - azurerm_windows_function_app_slot
#     - azurerm_windows_web_app
#     - azurerm_windows_web_app_slot
#   remediation: Set https_only to true.
#   frameworks:
#     cis-azure-3.0: ["9.1"]
#     nist-800-53-r5: [SC-8, SC-8(1)]
#     pci-dss-4.0: ["3.5.1", "6.2.4"]
#     soc-2: [CC6.1, CC6.6, CC6.7]
package policies.network.web_app_https_only

import data.plangate.lib

types := {
	"azurerm_app_service",
	"azurerm_app_service_slot",
	"azurerm_function_app",
	"azurerm_function_app_flex_consumption",
	"azurerm_function_app_slot",
	"azurerm_linux_function_app",
	"azurerm_linux_function_app_slot",
	"azurerm_linux_web_app",
	"azurerm_linux_web_app_slot",
	"azurerm_logic_app_standard",
	"azurerm_windows_function_app",
	"azurerm_windows_function_app_slot",
	"azurerm_windows_web_app",
	"azurerm_windows_web_app_slot",
}

# Left out, or null, it is false.
deny contains lib.finding_at(app, "it answers over plain HTTP as well", "/https_only") if {
	some type in types
	some app in lib.of_type(type)
	not is_on(app)
	not lib.is_unknown(app, "/https_only")
}

undetermined contains lib.finding_at(app, message, "/https_only") if {
	some type in types
	some app in lib.of_type(type)
	lib.is_unknown(app, "/https_only")
	message := "whether it answers over plain HTTP as well is known only after apply"
}

# Source may have a text where a plan has true or false.
is_on(app) if app.after.https_only in {"true", true}
