//! Who may do what: pods without rights, secrets only as references, names and certificates that fit together.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::chart::{Objects, Values, containers, list, named, pod, role, selects};

fn each_set(check: impl Fn(&str, &Objects) -> Result<()>) -> Result<()> {
    for values in Values::all()? {
        check(&values.name, &values.objects(&[])?).with_context(|| values.name.clone())?;
    }
    Ok(())
}

#[test]
fn every_container_is_nobody_and_writes_nowhere_but_on_volumes() -> Result<()> {
    each_set(|_, objects| {
        for (role, workload) in objects.workloads() {
            let user = &pod(workload)["securityContext"];
            ensure!(user["runAsNonRoot"] == true && user["runAsUser"].as_u64() > Some(0), "{role}: {user}");
            ensure!(user["seccompProfile"]["type"] == "RuntimeDefault", "{role}: {user}");
            for container in containers(pod(workload)) {
                let rights = &container["securityContext"];
                let wanted = json!({
                    "allowPrivilegeEscalation": false,
                    "readOnlyRootFilesystem": true,
                    "capabilities": {"drop": ["ALL"]},
                });
                ensure!(*rights == wanted, "{role}: {rights}");
                ensure!(
                    container["resources"]["limits"]["memory"].is_string(),
                    "{role} has no bound of memory"
                );
            }
        }
        Ok(())
    })
}

#[test]
fn nodes_have_no_rights_in_kubernetes() -> Result<()> {
    each_set(|_, objects| {
        for kind in ["Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"] {
            ensure!(objects.of_kind(kind).is_empty(), "there is a {kind}");
        }
        let accounts = objects.of_kind("ServiceAccount");
        ensure!(accounts.len() == 1 && accounts[0]["automountServiceAccountToken"] == false, "{accounts:?}");
        for (role, workload) in objects.workloads() {
            let pod = pod(workload);
            ensure!(pod["serviceAccountName"] == accounts[0]["metadata"]["name"], "{role}: another account");
            ensure!(pod["automountServiceAccountToken"] == false, "{role}: a token");
        }
        Ok(())
    })
}

/// The chart makes no Secret, so there is no default password; and no ConfigMap, so none can be in one.
#[test]
fn secrets_are_references_only() -> Result<()> {
    each_set(|_, objects| {
        ensure!(objects.of_kind("Secret").is_empty() && objects.of_kind("ConfigMap").is_empty());
        for (role, workload) in objects.workloads() {
            let env = &pod(workload)["containers"][0]["env"];
            let secret = |name| named(env, name).map(|e| &e["valueFrom"]["secretKeyRef"]["name"]);
            ensure!(secret("MANGROVE_TOKEN").is_some_and(Value::is_string), "{role}: the token");
            let database = secret("MANGROVE_DATABASE__URL");
            let wanted = matches!(role, "control" | "console");
            ensure!(database.is_some_and(Value::is_string) == wanted, "{role}: the database's URL");
        }
        Ok(())
    })
}

/// Keys of recordings are where recordings are written and played, and edges have neither.
#[test]
fn keys_of_recordings_are_files_where_recordings_are() -> Result<()> {
    let objects = Values::named("s3")?.objects(&[])?;
    ensure!(objects.of_kind("PersistentVolumeClaim").is_empty(), "a volume beside S3");
    for (role, workload) in objects.workloads() {
        let (pod, wanted) = (pod(workload), role != "edge");
        let env = |name: &str| named(&pod["containers"][0]["env"], name).map(|e| e["value"].clone());
        for (volume, secret, variable, file) in [
            ("s3", "mangrove-s3", "MANGROVE_OBJECTS__CREDENTIALS", "/etc/mangrove/s3/credentials"),
            ("masters", "mangrove-masters", "MANGROVE_OBJECTS__KEYS", "/etc/mangrove/masters/masters"),
        ] {
            let mounted = named(&pod["volumes"], volume);
            ensure!(
                mounted.is_some_and(|v| v["secret"]["secretName"] == secret) == wanted,
                "{role}: {volume}"
            );
            ensure!(env(variable).is_some_and(|value| value == file) == wanted, "{role}: {variable}");
        }
        ensure!(
            env("MANGROVE_OBJECTS__URL").is_some_and(|url| url == "s3://calls/centre") == wanted,
            "{role}"
        );
        ensure!(env("MANGROVE_OBJECTS__SPOOL_MB").is_some_and(|mb| mb == "8000"), "{role}: the spool");
    }
    Ok(())
}

/// Kubernetes leaves `$(NAME)` as it is when NAME comes later or not at all, and fills in nothing in hooks.
#[test]
fn variables_are_defined_once_and_before_they_are_used() -> Result<()> {
    each_set(|_, objects| {
        for (role, workload) in objects.workloads() {
            let mut known: Vec<&str> = Vec::new();
            for variable in list(&pod(workload)["containers"][0]["env"]) {
                let name = variable["name"].as_str().unwrap_or_default();
                ensure!(!known.contains(&name), "{role}: {name} is set twice");
                for used in variable["value"].as_str().unwrap_or_default().split("$(").skip(1) {
                    let used = used.split(')').next().unwrap_or_default();
                    ensure!(known.contains(&used), "{role}: {name} uses {used}, which is not known there");
                }
                known.push(name);
            }
            let hooks = pod(workload)["containers"][0]["lifecycle"].to_string();
            ensure!(!hooks.contains("$("), "{role}: {hooks}");
        }
        Ok(())
    })
}

#[test]
fn large_numbers_reach_the_node_as_they_were_written() -> Result<()> {
    let objects = Values::named("everything")?.objects(&[])?;
    let wanted = [
        ("edge", "LIMITS__CONNECTIONS", "1000000"),
        ("edge", "CLUSTER__SHARD_GROUPS", "32"),
        ("control", "CLUSTER__REPLICAS", "5"),
    ];
    for (role, name, value) in wanted {
        let env = &pod(objects.workload(role)?)["containers"][0]["env"];
        let found = named(env, &format!("MANGROVE_{name}")).context(name)?;
        ensure!(found["value"] == value, "{found}");
    }
    Ok(())
}

#[test]
fn services_lead_to_pods_that_have_such_ports() -> Result<()> {
    each_set(|_, objects| {
        let workloads = objects.workloads();
        for service in objects.of_kind("Service") {
            let pods: Vec<_> = workloads
                .iter()
                .map(|(_, workload)| &workload["spec"]["template"])
                .filter(|pod| selects(&service["spec"]["selector"], &pod["metadata"]["labels"]))
                .collect();
            ensure!(pods.len() == 1, "{service} leads to {} workloads", pods.len());
            for port in list(&service["spec"]["ports"]) {
                let target = port["targetPort"].as_str().context("a target by name")?;
                ensure!(
                    named(&pods[0]["spec"]["containers"][0]["ports"], target).is_some(),
                    "{service}: {target}"
                );
            }
        }
        for (_, workload) in workloads.iter().filter(|(_, w)| w["kind"] == "StatefulSet") {
            let wanted = &workload["spec"]["serviceName"];
            let services = objects.of_kind("Service");
            let service = services.iter().find(|service| service["metadata"]["name"] == *wanted);
            let spec = &service.with_context(|| format!("no service {wanted}"))?["spec"];
            ensure!(spec["clusterIP"] == "None" && spec["publishNotReadyAddresses"] == true, "{spec}");
        }
        Ok(())
    })
}

/// Nodes look for control by the name of its service, and control is told by names under it.
#[test]
fn nodes_join_by_the_name_of_the_control_service() -> Result<()> {
    let objects = Values::named("everything")?.objects(&[])?;
    for (role, workload) in objects.workloads() {
        let env = &pod(workload)["containers"][0]["env"];
        let value = |name| named(env, name).and_then(|e| e["value"].as_str()).unwrap_or_default();
        ensure!(value("MANGROVE_CLUSTER__JOIN") == "calls-control.calls.svc.example.internal:7400", "{role}");
        let told = value("MANGROVE_CLUSTER__ADVERTISE");
        let wanted = match role {
            "control" => "$(MANGROVE_NODE).calls-control.calls.svc.example.internal:7400",
            "edge" => "$(POD_IP):7401",
            "media" => "$(POD_IP):7402",
            _ => "$(POD_IP):7400",
        };
        ensure!(told == wanted, "{role} is told as {told}");
    }
    Ok(())
}

#[test]
fn pods_mount_the_certificates_that_are_supplied_or_made() -> Result<()> {
    for (set, wanted) in [
        ("default", "mangrove-tls"),
        ("cert-manager", "mangrove-certificates"),
        ("everything", "calls-certificates"),
    ] {
        let objects = Values::named(set)?.objects(&[])?;
        for (role, workload) in objects.workloads() {
            let volume = named(&pod(workload)["volumes"], "certificates").context("no certificates")?;
            ensure!(volume["secret"]["secretName"] == wanted, "{role} of {set}: {volume}");
        }
        let made = objects.of_kind("Certificate");
        let made = made.iter().find(|made| made["spec"]["secretName"] == wanted);
        ensure!(made.is_some() == (set != "default"), "{set}");
        made.map_or(Ok(()), |made| fits_nodes(&made["spec"]))?;
    }
    Ok(())
}

/// Both sides of a connection show it, and it names no address, because it would hold nowhere else.
fn fits_nodes(certificate: &Value) -> Result<()> {
    let usages = certificate["usages"].to_string();
    ensure!(usages.contains("server auth") && usages.contains("client auth"), "{usages}");
    ensure!(certificate["dnsNames"] == json!(["*.mangrove.internal"]), "{certificate}");
    ensure!(certificate["ipAddresses"].is_null(), "{certificate}");
    Ok(())
}

#[test]
fn an_issuer_of_ones_own_is_taken_instead_of_the_charts() -> Result<()> {
    let own = Values::named("everything")?.objects(&[])?;
    ensure!(own.of_kind("Issuer").is_empty());
    ensure!(own.of_kind("Certificate")[0]["spec"]["issuerRef"]["name"] == "company");
    let made = Values::named("cert-manager")?.objects(&[])?;
    let issuers = made.of_kind("Issuer");
    let node =
        made.of_kind("Certificate").into_iter().find(|c| c["spec"]["isCA"].is_null()).context("none")?;
    ensure!(issuers.iter().any(|issuer| issuer["metadata"]["name"] == node["spec"]["issuerRef"]["name"]));
    Ok(())
}

#[test]
fn policies_guard_what_they_can() -> Result<()> {
    each_set(|set, objects| {
        let policies = objects.of_kind("NetworkPolicy");
        let roles: Vec<_> = policies.iter().map(|policy| role(policy)).collect();
        let wanted: &[&str] = match set {
            "single" => &[],
            "three-zones" | "everything" => &["control", "console"],
            _ => &["control"],
        };
        ensure!(roles == wanted, "{roles:?}");
        for policy in policies {
            let labels = &objects.workload(role(policy))?["spec"]["template"]["metadata"]["labels"];
            ensure!(selects(&policy["spec"]["podSelector"]["matchLabels"], labels), "{policy}");
            ensure!(policy["spec"]["policyTypes"] == json!(["Ingress"]), "{policy}");
        }
        Ok(())
    })
}

/// Where pages are others', HTTP of control nodes is for nobody unless Prometheus is named.
#[test]
fn control_takes_http_only_from_who_reads_figures() -> Result<()> {
    let http = |set: &str| -> Result<Vec<Value>> {
        let objects = Values::named(set)?.objects(&[])?;
        let policies = objects.of_kind("NetworkPolicy");
        let policy = policies.into_iter().find(|policy| role(policy) == "control").context("no policy")?;
        let rules = list(&policy["spec"]["ingress"]).iter();
        Ok(rules.filter(|rule| rule["ports"][0]["port"] == "http").cloned().collect())
    };
    ensure!(http("three-zones")?.is_empty());
    let rules = http("everything")?;
    ensure!(rules.len() == 1 && list(&rules[0]["from"]).len() == 1, "{rules:?}");
    Ok(())
}

#[test]
fn prometheus_reads_each_node_with_the_administrators_token() -> Result<()> {
    let objects = Values::named("everything")?.objects(&[])?;
    let monitors = objects.of_kind("ServiceMonitor");
    let spec = &monitors.first().context("no monitor")?["spec"];
    let wanted = &spec["selector"]["matchLabels"];
    let services = objects.of_kind("Service");
    let found: Vec<_> = services.iter().filter(|s| selects(wanted, &s["metadata"]["labels"])).collect();
    let roles: Vec<_> = found.iter().map(|service| role(service)).collect();
    ensure!(["control", "edge", "media", "console"].iter().all(|role| roles.contains(role)), "{roles:?}");
    let port = spec["endpoints"][0]["port"].as_str().context("no port")?;
    ensure!(found.iter().all(|service| named(&service["spec"]["ports"], port).is_some()), "{found:?}");
    ensure!(spec["endpoints"][0]["authorization"]["credentials"] == json!({"name": "keys", "key": "admin"}));
    Ok(())
}
