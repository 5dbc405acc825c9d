//! What each role's pods are: where they stand, how they are watched, how they stop.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::chart::{Objects, Values, containers, list, named, pod, role, selects};

/// Roles on their machines' own network.
const ON_MACHINE: &[&str] = &["edge", "media", "single"];

fn each_workload(check: impl Fn(&str, &Value, &Objects) -> Result<()>) -> Result<()> {
    for values in Values::all()? {
        let objects = values.objects(&[])?;
        let workloads = objects.workloads();
        ensure!(!workloads.is_empty(), "{} has no workloads", values.name);
        for (role, workload) in workloads {
            check(role, workload, &objects).with_context(|| format!("{} of {}", role, values.name))?;
        }
    }
    Ok(())
}

#[test]
fn a_cluster_has_a_workload_per_role_and_a_single_node_has_one() -> Result<()> {
    for values in Values::all()? {
        let objects = values.objects(&[])?;
        let roles: Vec<_> =
            objects.workloads().into_iter().map(|(role, w)| (role, w["kind"].as_str())).collect();
        let stateful = |role| (role, Some("StatefulSet"));
        let mut wanted = vec![stateful("control"), stateful("edge"), stateful("media")];
        match values.name.as_str() {
            "single" => wanted = vec![stateful("single")],
            "three-zones" | "everything" => wanted.insert(0, ("console", Some("Deployment"))),
            _ => {}
        }
        let mut sorted = roles.clone();
        sorted.sort_unstable();
        ensure!(sorted == wanted, "{}: {roles:?}", values.name);
    }
    Ok(())
}

/// Without nodes of their own, pages are the control nodes'.
#[test]
fn some_workload_serves_the_pages_and_the_service_leads_there() -> Result<()> {
    for (set, wanted) in [("default", "control"), ("everything", "console"), ("single", "single")] {
        let objects = Values::named(set)?.objects(&[])?;
        let services = objects.of_kind("Service");
        let service = services.iter().find(|service| role(service) == "console").context("no service")?;
        for (role, workload) in objects.workloads() {
            let labels = &workload["spec"]["template"]["metadata"]["labels"];
            let leads = selects(&service["spec"]["selector"], labels);
            let roles =
                named(&pod(workload)["containers"][0]["env"], "MANGROVE_ROLES").context("no roles")?;
            let serves =
                roles["value"].as_str().is_some_and(|roles| roles.split(',').any(|r| r == "console"));
            ensure!((leads, serves) == (role == wanted, role == wanted), "{role} of {set}: {roles}");
        }
    }
    Ok(())
}

#[test]
fn selectors_find_their_pods_and_those_alone() -> Result<()> {
    each_workload(|own, workload, objects| {
        let labels = &workload["spec"]["template"]["metadata"]["labels"];
        ensure!(selects(&workload["spec"]["selector"]["matchLabels"], labels), "its own selector");
        for (other, workload) in objects.workloads() {
            let found = selects(&workload["spec"]["selector"]["matchLabels"], labels);
            ensure!(found == (own == other), "the selector of {other}");
        }
        Ok(())
    })
}

#[test]
fn probes_tell_alive_from_ready_and_ports_have_names_that_exist() -> Result<()> {
    each_workload(|_, workload, _| {
        for container in containers(pod(workload)) {
            for (probe, path) in
                [("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")]
            {
                let get = &container[probe]["httpGet"];
                ensure!(get["path"] == path, "{probe} asks {get}");
                let port = get["port"].as_str().context("a probe's port is a name")?;
                ensure!(named(&container["ports"], port).is_some(), "{probe}: no port {port}");
            }
            let start = &container["startupProbe"];
            let patience = start["periodSeconds"].as_u64().zip(start["failureThreshold"].as_u64());
            ensure!(
                patience.is_some_and(|(every, times)| every * times >= 300),
                "no time to read the log: {start}"
            );
        }
        Ok(())
    })
}

/// A probe of an address that nobody listens on would kill every node of the role.
#[test]
fn probes_go_where_http_listens() -> Result<()> {
    each_workload(|_, workload, _| {
        for container in containers(pod(workload)) {
            let listen = named(&container["env"], "MANGROVE_HTTP__LISTEN").context("no address of HTTP")?;
            let (address, port) =
                listen["value"].as_str().and_then(|v| v.rsplit_once(':')).context("no port")?;
            let host = if address == "127.0.0.1" { json!(address) } else { Value::Null };
            ensure!(container["readinessProbe"]["httpGet"]["host"] == host, "HTTP listens on {address}");
            let named = named(&container["ports"], "http").context("no port of HTTP")?;
            ensure!(named["containerPort"].as_u64() == port.parse().ok(), "HTTP listens on {port}");
        }
        Ok(())
    })
}

#[test]
fn nodes_with_work_hand_it_over_before_they_stop() -> Result<()> {
    let drain = json!(["/usr/bin/mangrove", "drain"]);
    each_workload(|role, workload, _| {
        let container = &pod(workload)["containers"][0];
        let before = &container["lifecycle"]["preStop"];
        match role {
            "control" | "edge" | "media" => {
                ensure!(before["exec"]["command"] == drain, "{before}");
                let server = named(&container["env"], "MANGROVE_SERVER").context("whom to ask")?;
                ensure!(
                    server["value"].as_str().is_some_and(|url| url.contains("-console.calls.svc.")),
                    "{server}"
                );
            }
            "console" => ensure!(before["sleep"]["seconds"].is_u64(), "{before}"),
            _ => ensure!(before.is_null(), "a single node has nobody to hand over to"),
        }
        ensure!(pod(workload)["terminationGracePeriodSeconds"].as_u64() >= Some(10), "no time to stop");
        Ok(())
    })
}

#[test]
fn the_time_to_stop_is_the_one_of_the_values() -> Result<()> {
    let objects = Values::named("default")?.objects(&["media.graceSeconds=7200"])?;
    ensure!(pod(objects.workload("media")?)["terminationGracePeriodSeconds"] == 7200);
    Ok(())
}

#[test]
fn who_speaks_sip_and_rtp_is_on_the_machines_network_one_a_machine() -> Result<()> {
    each_workload(|role, workload, _| {
        let on_machine = ON_MACHINE.contains(&role);
        let pod = pod(workload);
        ensure!(pod["hostNetwork"].as_bool().unwrap_or_default() == on_machine, "the wrong network");
        let ports = list(&pod["containers"][0]["ports"]);
        ensure!(ports.iter().all(|port| port["hostPort"].is_u64() == on_machine), "{ports:?}");
        if on_machine {
            ensure!(pod["dnsPolicy"] == "ClusterFirstWithHostNet", "names of the cluster can't be found");
        }
        let apart = &pod["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][0];
        let labels = &workload["spec"]["template"]["metadata"]["labels"];
        let alone = apart["topologyKey"] == "kubernetes.io/hostname"
            && selects(&apart["labelSelector"]["matchLabels"], labels);
        ensure!(alone == matches!(role, "control" | "edge" | "media"), "{apart}");
        Ok(())
    })
}

/// Edges and media nodes of one machine must not want the same port.
#[test]
fn an_edge_and_a_media_node_fit_on_one_machine() -> Result<()> {
    let objects = Values::named("default")?.objects(&[])?;
    let ports = |role| {
        let ports = list(&pod(objects.workload(role)?)["containers"][0]["ports"]);
        Ok::<_, anyhow::Error>(
            ports.iter().map(|port| (&port["protocol"], &port["hostPort"])).collect::<Vec<_>>(),
        )
    };
    let (edge, media) = (ports("edge")?, ports("media")?);
    ensure!(edge.iter().all(|port| !media.contains(port)), "{edge:?} and {media:?}");
    Ok(())
}

#[test]
fn disruptions_take_one_node_of_a_role_at_a_time() -> Result<()> {
    each_workload(|own, workload, objects| {
        let labels = &workload["spec"]["template"]["metadata"]["labels"];
        let budgets = objects.of_kind("PodDisruptionBudget");
        let budgets: Vec<_> =
            budgets.iter().filter(|b| selects(&b["spec"]["selector"]["matchLabels"], labels)).collect();
        // One would keep the only machine from ever being emptied.
        ensure!(budgets.len() == usize::from(own != "single"), "{budgets:?}");
        ensure!(budgets.iter().all(|b| b["spec"]["maxUnavailable"] == 1 && role(b) == own), "{budgets:?}");
        Ok(())
    })
}

#[test]
fn zones_are_kept_to_where_that_is_asked() -> Result<()> {
    for (set, strict) in [("default", false), ("three-zones", true), ("everything", true)] {
        let objects = Values::named(set)?.objects(&[])?;
        for (role, workload) in objects.workloads() {
            let zones = list(&pod(workload)["topologySpreadConstraints"])
                .iter()
                .find(|spread| spread["topologyKey"] == "topology.kubernetes.io/zone")
                .with_context(|| format!("{role} of {set} is not spread"))?;
            let wanted = if strict { ("DoNotSchedule", json!(3)) } else { ("ScheduleAnyway", Value::Null) };
            ensure!(
                (zones["whenUnsatisfiable"].as_str(), &zones["minDomains"]) == (Some(wanted.0), &wanted.1),
                "{zones}"
            );
            let zone =
                named(&pod(workload)["containers"][0]["env"], "MANGROVE_ZONE").context("no zone told")?;
            let path = zone["valueFrom"]["fieldRef"]["fieldPath"].as_str();
            ensure!(path == Some("metadata.labels['topology.kubernetes.io/zone']"), "{zone}");
        }
    }
    Ok(())
}

#[test]
fn control_nodes_start_together_and_keep_their_disks() -> Result<()> {
    for (set, replicas) in [("default", 3), ("five-control", 5)] {
        let objects = Values::named(set)?.objects(&[])?;
        let spec = &objects.workload("control")?["spec"];
        ensure!(spec["replicas"] == replicas && spec["podManagementPolicy"] == "Parallel", "{spec}");
        ensure!(spec["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Retain", "{spec}");
        let claim = named_claim(spec, "data").context("no volume")?;
        ensure!(claim["spec"]["accessModes"] == json!(["ReadWriteOnce"]), "{claim}");
    }
    Ok(())
}

fn named_claim<'a>(spec: &'a Value, name: &str) -> Option<&'a Value> {
    list(&spec["volumeClaimTemplates"]).iter().find(|claim| claim["metadata"]["name"] == name)
}

#[test]
fn what_is_mounted_is_there() -> Result<()> {
    each_workload(|_, workload, _| {
        for container in containers(pod(workload)) {
            for mount in list(&container["volumeMounts"]) {
                let name = mount["name"].as_str().unwrap_or_default();
                let there = named(&pod(workload)["volumes"], name).or(named_claim(&workload["spec"], name));
                ensure!(there.is_some(), "{name} is mounted but no volume");
            }
        }
        Ok(())
    })
}
