//! What is measured, in Prometheus' form. Labels are route names, methods and classes of status: never a repository's name.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::process::Process;

type Count = Counter<u64, AtomicU64>;

/// Everything that is measured.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Count>,
    durations: Family<RouteLabels, Histogram, fn() -> Histogram>,
    /// Bytes off all connections.
    pub(crate) received: Count,
    /// Bytes onto all connections.
    pub(crate) sent: Count,
    /// Open connections.
    pub(crate) connections: Gauge,
    /// Connections that were turned away.
    pub(crate) connections_refused: Count,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: &'static str,
    method: &'static str,
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: &'static str,
}

impl Metrics {
    /// Metrics of which `sampled` are asked for when they are read.
    pub(crate) fn new(sampled: Vec<Sampled>) -> Arc<Self> {
        let mut all = Registry::default();
        all.register_collector(Box::new(Process::this()));
        let registry = all.sub_registry_with_prefix("berth");
        let requests: Family<RequestLabels, Count> = Family::default();
        let durations: Family<RouteLabels, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(buckets);
        let [received, sent, connections_refused] = [Count::default(), Count::default(), Count::default()];
        let connections = Gauge::default();
        let version = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The version that runs", version);
        registry.register("http_requests", "Requests that were answered", requests.clone());
        let help = "From the header of a request to the last byte of its answer";
        registry.register_with_unit("http_request_duration", help, Unit::Seconds, durations.clone());
        registry.register_with_unit("received", "Bytes off all connections", Unit::Bytes, received.clone());
        registry.register_with_unit("sent", "Bytes onto all connections", Unit::Bytes, sent.clone());
        registry.register("connections", "Open connections", connections.clone());
        let help = "Connections beyond server.max_connections";
        registry.register("connections_refused", help, connections_refused.clone());
        registry.register_collector(Box::new(Samples(sampled)));
        Arc::new(Self {
            registry: all,
            requests,
            durations,
            received,
            sent,
            connections,
            connections_refused,
        })
    }

    /// A request was answered to its end, or its connection was lost. Without a method, none was understood.
    pub(crate) fn answered(
        &self,
        route: &'static str,
        method: Option<&Method>,
        status: StatusCode,
        took: Duration,
    ) {
        let method = method.map_or("none", method_name);
        let labels = RequestLabels { route, method, status: class(status) };
        self.requests.get_or_create(&labels).inc();
        self.durations.get_or_create(&RouteLabels { route }).observe(took.as_secs_f64());
    }

    /// All of it as text.
    pub(crate) fn render(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// A value that is asked for when the metrics are read.
pub(crate) struct Sampled {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    pub(crate) kind: SampledKind,
    pub(crate) values: Values,
}

/// How a value moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SampledKind {
    /// Up and down.
    Gauge,
    /// Only up.
    Counter,
}

/// Gives a number.
pub(crate) type Sample = Box<dyn Fn() -> u64 + Send + Sync>;

/// One number, or one for each value of a label.
pub(crate) enum Values {
    One(Sample),
    Each(&'static str, Vec<(&'static str, Sample)>),
}

struct Samples(Vec<Sampled>);

impl std::fmt::Debug for Samples {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|sampled| sampled.name)).finish()
    }
}

impl Collector for Samples {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        for Sampled { name, help, kind, values } in &self.0 {
            let metric_type = match kind {
                SampledKind::Gauge => MetricType::Gauge,
                SampledKind::Counter => MetricType::Counter,
            };
            let mut metric = encoder.encode_descriptor(name, help, None, metric_type)?;
            match values {
                Values::One(sample) => kind.encode(sample(), metric)?,
                Values::Each(label, samples) => {
                    for (value, sample) in samples {
                        kind.encode(sample(), metric.encode_family(&[(*label, *value)])?)?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl SampledKind {
    fn encode(self, value: u64, metric: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
        match self {
            Self::Gauge => ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX)).encode(metric),
            Self::Counter => ConstCounter::new(value).encode(metric),
        }
    }
}

/// From what a pull out of memory takes to what a layer takes on a slow line.
fn buckets() -> Histogram {
    let milliseconds = [0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 25.0, 100.0, 500.0];
    let seconds = [2.5, 10.0, 60.0, 600.0];
    Histogram::new(milliseconds.map(|bound| bound / 1000.0).into_iter().chain(seconds))
}

fn method_name(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}
