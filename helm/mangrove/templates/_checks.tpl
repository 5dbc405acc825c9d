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
{{- include "mangrove.checkNames" . }}
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
