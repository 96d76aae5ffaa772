{{- define "sticky-ingress.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "sticky-ingress.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "sticky-ingress.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "sticky-ingress.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "sticky-ingress.selector" -}}
app.kubernetes.io/name: {{ include "sticky-ingress.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Labels of the values replace ours, but not those by which pods are found. */}}
{{- define "sticky-ingress.labels" -}}
{{- $own := dict
  "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_")
  "app.kubernetes.io/version" .Chart.AppVersion
  "app.kubernetes.io/managed-by" .Release.Service
  "app.kubernetes.io/part-of" "sticky-ingress" }}
{{- merge (include "sticky-ingress.selector" . | fromYaml) .Values.commonLabels $own | toYaml }}
{{- end }}

{{- define "sticky-ingress.podLabels" -}}
{{- merge (include "sticky-ingress.selector" . | fromYaml) .Values.podLabels (include "sticky-ingress.labels" . | fromYaml) | toYaml }}
{{- end }}

{{- define "sticky-ingress.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{- define "sticky-ingress.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ .Values.serviceAccount.name | default (include "sticky-ingress.fullname" .) }}
{{- else -}}
{{ .Values.serviceAccount.name | default "default" }}
{{- end }}
{{- end }}

{{- define "sticky-ingress.keysSecret" -}}
{{ .Values.affinityKeys.existingSecret | default (printf "%s-keys" (include "sticky-ingress.fullname" .)) }}
{{- end }}

{{/* What the controller may do with namespaced objects, and nothing more. */}}
{{- define "sticky-ingress.rules" -}}
- apiGroups: [stickyingress.io]
  resources: [stickyupstreams]
  verbs: [list, watch]
- apiGroups: [stickyingress.io]
  resources: [stickyupstreams/status]
  verbs: [patch]
- apiGroups: [""]
  resources: [services]
  verbs: [list, watch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list, watch]
- apiGroups: [networking.k8s.io]
  resources: [ingresses]
  verbs: [list, watch]
- apiGroups: [networking.k8s.io]
  resources: [ingresses/status]
  verbs: [patch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- if .Values.controller.tls }}
- apiGroups: [""]
  resources: [secrets]
  verbs: [list, watch]
{{- end }}
{{- end }}

{{/* Name of the Lease by which replicas agree who writes status; as the controller makes it from its class. */}}
{{- define "sticky-ingress.lease" -}}
sticky-ingress{{ if ne .Values.ingressClass.name "sticky" }}-{{ .Values.ingressClass.name }}{{ end }}
{{- end }}

{{/* The ports of traffic, as a list of name, container port and appProtocol. */}}
{{- define "sticky-ingress.ports" -}}
- { name: http, containerPort: 8080, appProtocol: http }
{{- if .Values.controller.tls }}
- { name: https, containerPort: 8443, appProtocol: https }
{{- end }}
{{- if .Values.controller.h2c }}
- { name: h2c, containerPort: 8081, appProtocol: kubernetes.io/h2c }
{{- end }}
{{- end }}
