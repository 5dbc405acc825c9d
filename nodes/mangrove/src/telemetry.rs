//! Logs, traces and metrics of this process. Logs go to the standard error; traces leave by OTLP where a collector
//! is configured; metrics are kept for `/metrics`.

use std::{io::IsTerminal, panic};

use anyhow::{Context, Result};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::WithExportConfig;
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing::Level;
use tracing_subscriber::{EnvFilter, Layer, Registry, filter::Targets, layer::SubscriberExt};

use crate::configuration::{Configuration, LogFormat};

type Boxed = Box<dyn Layer<Registry> + Send + Sync>;

/// Bucket bounds of durations in seconds, from a commit to a long ring.
const SECONDS: &[f64] =
    &[0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0];

/// What was started. Kept until the end of the process.
#[derive(Debug)]
pub(crate) struct Telemetry {
    metrics: PrometheusHandle,
    traces: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Starts everything, once in a process and inside its runtime.
    pub(crate) fn start(configuration: &Configuration) -> Result<Self> {
        let traces = traces(configuration)?;
        let mut layers: Vec<Boxed> = vec![log(configuration)?];
        if let Some(traces) = &traces {
            let layer = tracing_opentelemetry::layer().with_tracer(traces.tracer("mangrove"));
            layers.push(layer.with_filter(exported()).boxed());
        }
        // Not `try_init`: it would let in what libraries say to `log` wherever a dependency turns that feature on.
        let subscriber = tracing_subscriber::registry().with(layers);
        tracing::subscriber::set_global_default(subscriber).context("logging was started twice")?;
        let metrics = PrometheusBuilder::new().set_buckets(SECONDS).context("metrics have no buckets")?;
        let metrics = metrics.install_recorder().context("metrics were started twice")?;
        log_panics();
        Ok(Self { metrics, traces })
    }

    /// All metrics as Prometheus reads them.
    pub(crate) fn metrics(&self) -> PrometheusHandle {
        self.metrics.clone()
    }

    /// Sends what is left. Blocks for a moment.
    pub(crate) fn stop(self) {
        if let Some(Err(error)) = self.traces.map(|traces| traces.shutdown()) {
            tracing::warn!(%error, "the last traces were lost");
        }
    }
}

fn log(configuration: &Configuration) -> Result<Boxed> {
    let filter =
        EnvFilter::try_new(&configuration.telemetry.level).context("telemetry.level is no filter")?;
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    Ok(match configuration.telemetry.format {
        LogFormat::Text => layer.with_filter(filter).boxed(),
        LogFormat::Json => layer.json().flatten_event(true).with_filter(filter).boxed(),
    })
}

/// Our own spans and events, calls in full. What the exporter itself does must not be exported.
fn exported() -> Targets {
    Targets::new()
        .with_target("mangrove", Level::INFO)
        .with_target(mangrove_control::trace::TARGET, Level::DEBUG)
}

fn traces(configuration: &Configuration) -> Result<Option<SdkTracerProvider>> {
    let Some(collector) = &configuration.telemetry.otlp else { return Ok(None) };
    let exporter = opentelemetry_otlp::SpanExporter::builder().with_tonic().with_endpoint(collector).build();
    let exporter = exporter.context("telemetry.otlp names no usable collector")?;
    let node = opentelemetry::KeyValue::new("service.instance.id", configuration.node.clone());
    let resource = Resource::builder().with_service_name("mangrove").with_attribute(node).build();
    Ok(Some(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build()))
}

/// A panic is one more line of the log: its task ends, the process goes on.
fn log_panics() {
    panic::set_hook(Box::new(|info| {
        let payload = info.payload();
        let text =
            payload.downcast_ref::<&str>().copied().or(payload.downcast_ref::<String>().map(String::as_str));
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let thread = std::thread::current().name().unwrap_or_default().to_owned();
        let backtrace = std::backtrace::Backtrace::capture();
        tracing::error!(panic = text.unwrap_or("without words"), place, thread, %backtrace, "panicked");
    }));
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
