//! Compiles the contracts in `protos/` without protoc.

/// Messages with secrets: their `Debug` is written by hand, without them.
const SECRET: [&str; 10] = [
    ".mangrove.routes.v1.Founding",
    ".mangrove.routes.v1.Device",
    ".mangrove.control.v1.Login",
    ".mangrove.control.v1.SetPasswordRequest",
    ".mangrove.media.v1.Srtp",
    ".mangrove.media.v1.Webrtc",
    ".mangrove.media.v1.EndpointAddress",
    ".mangrove.edge.v1.Received",
    ".mangrove.edge.v1.SendRequest",
    ".mangrove.edge.v1.SendResponse",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut files: Vec<_> =
        std::fs::read_dir("protos")?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|e| e == "proto"));
    files.sort();
    println!("cargo:rerun-if-changed=protos");
    let descriptors = protox::compile(&files, ["protos"])?;
    let grpc = std::env::var_os("CARGO_FEATURE_GRPC").is_some();
    tonic_prost_build::configure()
        .build_client(grpc)
        .build_server(grpc)
        .bytes(".")
        .skip_debug(SECRET)
        .type_attribute(".", "#[derive(serde::Serialize, serde::Deserialize)]")
        // States and logs keep these by name: a field that an earlier build did not write is as if never set.
        .message_attribute(".mangrove.edge.v1", "#[serde(default)]")
        .message_attribute(".mangrove.media.v1", "#[serde(default)]")
        // And without these, as earlier builds keep them.
        .field_attribute(
            ".mangrove.media.v1.Endpoint.latched",
            "#[serde(skip_serializing_if = \"String::is_empty\")]",
        )
        .field_attribute(
            ".mangrove.media.v1.Endpoint.events",
            "#[serde(default, skip_serializing_if = \"Vec::is_empty\")]",
        )
        .field_attribute(
            ".mangrove.media.v1.Endpoint.accepts",
            "#[serde(default, skip_serializing_if = \"Vec::is_empty\")]",
        )
        .field_attribute(
            ".mangrove.media.v1.Endpoint.codes",
            "#[serde(default, skip_serializing_if = \"Vec::is_empty\")]",
        )
        .field_attribute(
            ".mangrove.media.v1.Endpoint.comfort_noise",
            "#[serde(skip_serializing_if = \"Option::is_none\")]",
        )
        .field_attribute(
            ".mangrove.media.v1.Endpoint.srtp",
            "#[serde(skip_serializing_if = \"Option::is_none\")]",
        )
        .field_attribute(
            ".mangrove.media.v1.Endpoint.udptl",
            "#[serde(skip_serializing_if = \"std::ops::Not::not\")]",
        )
        .field_attribute(
            ".mangrove.media.v1.Endpoint.secret",
            "#[serde(skip_serializing_if = \"std::ops::Not::not\")]",
        )
        .field_attribute(
            ".mangrove.media.v1.Endpoint.webrtc",
            "#[serde(skip_serializing_if = \"Option::is_none\")]",
        )
        .field_attribute(
            ".mangrove.media.v1.EndpointAddress.webrtc",
            "#[serde(skip_serializing_if = \"Option::is_none\")]",
        )
        .field_attribute(
            ".mangrove.media.v1.EndpointAddress.key",
            "#[serde(default, skip_serializing_if = \"bytes::Bytes::is_empty\")]",
        )
        .field_attribute(
            ".mangrove.media.v1.Codec.channels",
            "#[serde(skip_serializing_if = \"Option::is_none\")]",
        )
        .field_attribute(
            ".mangrove.media.v1.Codec.fmtp",
            "#[serde(default, skip_serializing_if = \"String::is_empty\")]",
        )
        .field_attribute(
            ".mangrove.media.v1.Codec.expected",
            "#[serde(skip_serializing_if = \"Option::is_none\")]",
        )
        .field_attribute(
            ".mangrove.media.v1.Play.by_clock",
            "#[serde(skip_serializing_if = \"std::ops::Not::not\")]",
        )
        .field_attribute(
            ".mangrove.media.v1.Recording.ran_ms",
            "#[serde(skip_serializing_if = \"Option::is_none\")]",
        )
        .field_attribute(
            ".mangrove.media.v1.Recording.pause",
            "#[serde(skip_serializing_if = \"Option::is_none\")]",
        )
        .field_attribute(
            ".mangrove.media.v1.Recording.left_too",
            "#[serde(skip_serializing_if = \"Vec::is_empty\")]",
        )
        .field_attribute(
            ".mangrove.media.v1.Recording.right_too",
            "#[serde(skip_serializing_if = \"Vec::is_empty\")]",
        )
        .field_attribute(
            ".mangrove.media.v1.Recording.opus",
            "#[serde(skip_serializing_if = \"std::ops::Not::not\")]",
        )
        .field_attribute(
            ".mangrove.media.v1.Recording.mixed",
            "#[serde(skip_serializing_if = \"std::ops::Not::not\")]",
        )
        .field_attribute(
            ".mangrove.media.v1.RecordingFinished.opus",
            "#[serde(skip_serializing_if = \"std::ops::Not::not\")]",
        )
        .field_attribute(
            ".mangrove.media.v1.RecordingFinished.mixed",
            "#[serde(skip_serializing_if = \"std::ops::Not::not\")]",
        )
        .field_attribute(
            ".mangrove.media.v1.SetSession.goes_on",
            "#[serde(skip_serializing_if = \"std::ops::Not::not\")]",
        )
        .field_attribute(
            ".mangrove.media.v1.SetSession.left",
            "#[serde(skip_serializing_if = \"Vec::is_empty\")]",
        )
        .field_attribute(
            ".mangrove.media.v1.SetSession.conference",
            "#[serde(skip_serializing_if = \"String::is_empty\")]",
        )
        .compile_fds(descriptors)?;
    Ok(())
}
