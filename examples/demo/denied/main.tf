# A release that should not pass: beside what it is for, it runs a program on the machine that applies it.
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

  provisioner "local-exec" {
    command = "echo 'this ran on your machine' > it-ran"
  }
}
