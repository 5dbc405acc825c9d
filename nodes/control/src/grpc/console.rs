//! Serves consoles of nodes that can't answer themselves. Only what this node has a replica of: a question is sent on once.

use futures::{StreamExt, stream::BoxStream};
use mangrove_proto::{
    common::Empty,
    control::{
        AgentCommand, BackupPart, BackupRequest, CallCommand, ConfigureReply, ConfigureRequest,
        DeleteRequest, EventsRequest, Json, LiveEvent, LoginReply, LoginRequest, MessageCommand,
        SetPasswordRequest, StoryRequest, TenantRequest, TenantsRequest,
        console_server::{Console as ConsoleRpc, ConsoleServer},
    },
    service::{Console as _, Error},
};
use tonic::{Request, Response, Status};

use super::answer;
use crate::{Control, console, forward::LARGEST};

/// Serves this node's control role to consoles of other nodes.
#[derive(Debug)]
pub struct Server {
    control: Control,
}

/// The service to add to a node's gRPC router. It checks nobody's rights: only nodes of the cluster may reach it.
pub fn server(control: Control) -> ConsoleServer<Server> {
    ConsoleServer::new(Server { control })
        .max_decoding_message_size(LARGEST)
        .max_encoding_message_size(LARGEST)
}

#[async_trait::async_trait]
impl ConsoleRpc for Server {
    async fn configure(
        &self,
        request: Request<ConfigureRequest>,
    ) -> Result<Response<ConfigureReply>, Status> {
        answer(self.control.configure(request.into_inner()).await)
    }

    async fn delete(&self, request: Request<DeleteRequest>) -> Result<Response<ConfigureReply>, Status> {
        answer(self.control.delete(request.into_inner()).await)
    }

    async fn tenants(&self, request: Request<TenantsRequest>) -> Result<Response<Json>, Status> {
        let group = request.into_inner().group;
        let here = self.control.group(group).ok_or(Error::NoLeader { group: group.into() });
        answer(here.and_then(|group| console::json(&console::summaries(&group))))
    }

    async fn configuration(&self, request: Request<TenantRequest>) -> Result<Response<Json>, Status> {
        answer(self.control.configuration(&request.into_inner().tenant).await)
    }

    async fn live(&self, request: Request<TenantRequest>) -> Result<Response<Json>, Status> {
        answer(self.control.live(&request.into_inner().tenant).await.and_then(|live| console::json(&live)))
    }

    async fn command_agent(&self, command: Request<AgentCommand>) -> Result<Response<Empty>, Status> {
        answer(self.control.command_agent(command.into_inner()).await.map(done))
    }

    async fn command_call(&self, command: Request<CallCommand>) -> Result<Response<Empty>, Status> {
        answer(self.control.command_call(command.into_inner()).await.map(done))
    }

    async fn voicemail(&self, request: Request<TenantRequest>) -> Result<Response<Json>, Status> {
        let boxes = self.control.voicemail(&request.into_inner().tenant).await;
        answer(boxes.and_then(|boxes| console::json(&boxes)))
    }

    async fn command_message(&self, command: Request<MessageCommand>) -> Result<Response<Empty>, Status> {
        answer(self.control.command_message(command.into_inner()).await.map(done))
    }

    type EventsStream = BoxStream<'static, Result<LiveEvent, Status>>;

    async fn events(&self, request: Request<EventsRequest>) -> Result<Response<Self::EventsStream>, Status> {
        answer(self.control.events(request.into_inner()).await.map(|events| events.map(Ok).boxed()))
    }

    async fn story(&self, request: Request<StoryRequest>) -> Result<Response<Json>, Status> {
        answer(self.control.story(request.into_inner()).await.and_then(|story| console::json(&story)))
    }

    async fn find_login(&self, request: Request<LoginRequest>) -> Result<Response<LoginReply>, Status> {
        let found = self.control.login(&request.into_inner().email).await;
        answer(found.map(|login| LoginReply { login: login.map(Into::into) }))
    }

    async fn set_password(&self, request: Request<SetPasswordRequest>) -> Result<Response<Empty>, Status> {
        let SetPasswordRequest { author, email, hash } = request.into_inner();
        answer(self.control.set_password(&email, hash, author.unwrap_or_default()).await.map(done))
    }

    type BackupStream = BoxStream<'static, Result<BackupPart, Status>>;

    async fn backup(&self, _: Request<BackupRequest>) -> Result<Response<Self::BackupStream>, Status> {
        let part =
            |part: Result<_, Error>| part.map(|part| BackupPart { part }).map_err(|e| Status::from(&e));
        answer(self.control.backup().await.map(|bytes| bytes.map(part).boxed()))
    }
}

fn done((): ()) -> Empty {
    Empty {}
}
