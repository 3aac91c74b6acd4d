# The same release without the program.
variable "release" {
  type    = string
  default = "2026.1"
}

resource "terraform_data" "settings" {
  input = {
    service = "shop"
    release = var.release
  }
}

resource "terraform_data" "release" {
  input            = "shop ${var.release}"
  triggers_replace = terraform_data.settings.output
}
