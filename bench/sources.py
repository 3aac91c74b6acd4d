"""Sources for the benchmark: a Terraform module tree, manifests of Kubernetes, and a repository of many files.

Everything here is invented. Names and mix are those of common estates; about one in sixteen has a usual fault.
"""

import json
from pathlib import Path
from typing import Final

RESOURCES_PER_SERVICE: Final = 10
_EVERY: Final = 3

_SERVICE: Final = """
variable "name" { type = string }
variable "subnet_id" { type = string }
variable "encrypted" {
  type    = bool
  default = true
}
variable "ports" {
  type    = list(number)
  default = [443, 8443]
}
variable "tags" { type = map(string) }

locals {
  full = "${var.name}-${terraform.workspace}"
  tags = merge(var.tags, { service = var.name, full = local.full })
}

resource "aws_security_group" "this" {
  name        = "${var.name}-sg"
  description = "Traffic of ${title(var.name)}"
  dynamic "ingress" {
    for_each = var.ports
    content {
      from_port   = ingress.value
      to_port     = ingress.value
      protocol    = "tcp"
      cidr_blocks = [cidrsubnet("10.0.0.0/8", 8, ingress.key)]
    }
  }
  tags = local.tags
}

resource "aws_instance" "this" {
  for_each                    = toset(["a", "b"])
  ami                         = "ami-0abcdef1234567890"
  instance_type               = "m6i.large"
  subnet_id                   = var.subnet_id
  associate_public_ip_address = false
  vpc_security_group_ids      = [aws_security_group.this.id]
  metadata_options {
    http_tokens   = "required"
    http_endpoint = "enabled"
  }
  root_block_device { encrypted = var.encrypted }
  user_data = <<-EOT
    #!/bin/sh
    echo ${var.name}-${each.key} > /etc/name
  EOT
  tags = merge(local.tags, { Name = format("%s-%s", var.name, each.key) })
}

resource "aws_ebs_volume" "data" {
  count             = 2
  availability_zone = "eu-central-1${count.index == 0 ? "a" : "b"}"
  size              = 100 + count.index
  encrypted         = var.encrypted
  tags              = local.tags
}

resource "aws_s3_bucket" "this" {
  bucket = lower("${var.name}-Data")
  tags   = local.tags
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket                  = aws_s3_bucket.this.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id
  versioning_configuration { status = "Enabled" }
}

resource "aws_kms_key" "this" {
  description         = "Key of ${var.name}"
  enable_key_rotation = true
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = ["kms:Decrypt"]
      Resource  = "*"
      Principal = { AWS = "arn:aws:iam::123456789012:root" }
    }]
  })
  tags = local.tags
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/service/${var.name}"
  retention_in_days = 30
  tags              = local.tags
}
"""
_ROOT: Final = """
provider "aws" {
  region = "eu-central-1"
}

variable "owner" {
  type    = string
  default = "platform"
}

locals {
  tags = { owner = var.owner, environment = "prod" }
}

resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/8"
  tags       = local.tags
}

resource "aws_subnet" "private" {
  count                   = 3
  vpc_id                  = aws_vpc.main.id
  cidr_block              = cidrsubnet(aws_vpc.main.cidr_block, 8, count.index)
  map_public_ip_on_launch = false
  tags                    = local.tags
}
"""


def terraform(folder: Path, resources: int) -> Path:
    """A module tree of about this many resources: a root of several files, and one module called again and again."""
    module = folder / "modules" / "service"
    module.mkdir(parents=True, exist_ok=True)
    (module / "main.tf").write_text(_SERVICE)
    (folder / "main.tf").write_text(_ROOT)
    for start in range(0, resources, 10 * RESOURCES_PER_SERVICE):
        numbers = range(start // RESOURCES_PER_SERVICE, (start // RESOURCES_PER_SERVICE) + 10)
        calls = (
            f'module "service_{n}" {{\n  source    = "./modules/service"\n  name      = "service-{n}"\n'
            f"  subnet_id = aws_subnet.private[{n % 3}].id\n"
            f"  encrypted = {'false' if n % 16 == 0 else 'true'}\n  tags      = local.tags\n}}\n"
            for n in numbers
        )
        (folder / f"services_{start:05}.tf").write_text("\n".join(calls))
    return folder


def _workload(number: int) -> str:
    privileged = "true" if number % 16 == 0 else "false"
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: service-{number}
  namespace: shop
  labels: {{app: service-{number}, team: platform}}
spec:
  replicas: 3
  selector:
    matchLabels: {{app: service-{number}}}
  template:
    metadata:
      labels: {{app: service-{number}}}
    spec:
      serviceAccountName: service-{number}
      securityContext:
        runAsNonRoot: true
        seccompProfile: {{type: RuntimeDefault}}
      containers:
        - name: main
          image: registry.example/service-{number}@sha256:{number:064x}
          ports:
            - containerPort: 8080
          env:
            - name: LEVEL
              value: info
            - name: TOKEN
              valueFrom:
                secretKeyRef: {{name: service-{number}, key: token}}
          resources:
            requests: {{cpu: 100m, memory: 128Mi}}
            limits: {{cpu: 500m, memory: 256Mi}}
          securityContext:
            privileged: {privileged}
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [ALL]
---
apiVersion: v1
kind: Service
metadata:
  name: service-{number}
  namespace: shop
spec:
  selector: {{app: service-{number}}}
  ports:
    - port: 80
      targetPort: 8080
"""


def manifests(path: Path, size: int) -> Path:
    """One file of Deployments and Services, of about this many bytes."""
    parts: list[str] = []
    while sum(map(len, parts)) < size:
        parts.append(_workload(len(parts)))
    path.write_text("---\n".join(parts))
    return path


def repository(folder: Path, files: int) -> Path:
    """A repository of this many files: manifests, templates of CloudFormation, and Terraform modules."""
    for number in range(files):
        team = folder / f"team-{number % 10}" / f"service-{number}"
        team.mkdir(parents=True, exist_ok=True)
        match number % 5:
            case 0 | 1 | 2:
                (team / "deploy.yaml").write_text(_workload(number))
            case 3:
                (team / "stack.json").write_text(json.dumps(_stack(number), indent=2))
            case _:
                (team / "main.tf").write_text(_ROOT)
    return folder


def _stack(number: int) -> dict[str, object]:
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Parameters": {
            "Encrypted": {"Type": "String", "Default": "false" if number % 16 == _EVERY else "true"}
        },
        "Resources": {
            "Data": {
                "Type": "AWS::EC2::Volume",
                "Properties": {
                    "Size": 100,
                    "AvailabilityZone": "eu-central-1a",
                    "Encrypted": {"Ref": "Encrypted"},
                    "Tags": [{"Key": "owner", "Value": "platform"}],
                },
            },
            "Key": {"Type": "AWS::KMS::Key", "Properties": {"EnableKeyRotation": True}},
            "Group": {
                "Type": "AWS::EC2::SecurityGroup",
                "Properties": {
                    "GroupDescription": f"Traffic of service {number}",
                    "SecurityGroupIngress": [
                        {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "10.0.0.0/8"}
                    ],
                },
            },
        },
    }
