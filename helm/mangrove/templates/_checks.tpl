{{/* What values.schema.json can't say in words: keys that need one another. Each sentence says what to do. */}}
{{- define "mangrove.checks" -}}
{{- $values := .Values }}
{{- if not $values.admin.existingSecret }}
{{- fail "admin.existingSecret is missing: there is no default password; create a Secret with the administrator's token (kubectl create secret generic mangrove-admin --from-literal=token=$(openssl rand -hex 32)) and name it" }}
{{- end }}
{{- if eq $values.layout "cluster" }}
{{- include "mangrove.checkCluster" . }}
{{- end }}
{{- $ingress := $values.console.ingress }}
{{- if and $ingress.enabled (not (and $ingress.host $ingress.tlsSecret)) }}
{{- fail "console.ingress needs host and tlsSecret: browsers give no microphone to plain http" }}
{{- end }}
{{- $policy := $values.networkPolicy }}
{{- if and $policy.consoleFrom (not $policy.machines) }}
{{- fail "networkPolicy.consoleFrom needs networkPolicy.machines: edges and media nodes reach the console from their machines' addresses when they drain; give the machines' CIDRs" }}
{{- end }}
{{- include "mangrove.checkObjects" . }}
{{- include "mangrove.checkNames" . }}
{{- end }}

{{- define "mangrove.checkObjects" -}}
{{- $s3 := .Values.objects.s3 }}
{{- if and $s3.url .Values.objects.existingClaim }}
{{- fail "objects.s3.url and objects.existingClaim exclude one another: recordings lie in S3 or on a volume; name one" }}
{{- end }}
{{- if and (not $s3.url) (or $s3.region $s3.endpoint $s3.allowHttp $s3.existingSecret) }}
{{- fail "objects.s3.url is missing: name the bucket (s3://bucket/prefix), or leave out the rest of objects.s3" }}
{{- end }}
{{- if and (hasPrefix "http://" $s3.endpoint) (not $s3.allowHttp) }}
{{- fail "objects.s3.endpoint is plain http: recordings would travel readable; give https://, or set objects.s3.allowHttp" }}
{{- end }}
{{- end }}

{{- define "mangrove.checkCluster" -}}
{{- $values := .Values }}
{{- if not $values.database.existingSecret }}
{{- fail "database.existingSecret is missing: nodes on several machines can't share SQLite; create a Secret with PostgreSQL's URL under the key `url` and name it, or set layout=single for one machine" }}
{{- end }}
{{- $given := ternary 1 0 (ne $values.tls.existingSecret "") }}
{{- if ne 1 (add $given (ternary 1 0 $values.tls.certManager.enabled) | int) }}
{{- fail "one of tls.existingSecret and tls.certManager.enabled is needed: without certificates nodes on several machines don't talk; name a Secret with ca.crt, tls.crt and tls.key (`mangrove certs` makes them), or let cert-manager make them" }}
{{- end }}
{{- end }}

{{/* A pod's name is its node's name and a label of DNS: at most 63. `-console-`, ten and five characters come after the release's. */}}
{{- define "mangrove.checkNames" -}}
{{- $name := include "mangrove.name" . }}
{{- if gt (len $name) 36 }}
{{- fail (printf "the name %s is too long for the names of pods: %d characters, 36 are allowed; set fullnameOverride" $name (len $name)) }}
{{- end }}
{{- end }}
