//! Where Raft groups live: which nodes hold replicas of which group and which of them should lead.
//!
//! Pure: `solve` looks at nothing but its arguments. It decides a wish; `mangrove-membership` carries it out step by
//! step, one voter change at a time. Address leases are placed by the same rules once there are any.

mod leaders;
mod model;
mod replicas;

pub use model::{GroupId, Node, NodeId, Place, Plan, Problem, Standing};

/// Places the groups of `problem`, changing `previous` as little as its rules allow.
///
/// What holds of the result:
/// - every group has a place, with as many different replicas as wanted, or as many as there are nodes for it;
/// - no two replicas share a zone while another zone has a node that may take one, but for what nodes that are away
///   keep;
/// - nodes hold within one of each other's number of replicas as far as zones allow, and lead as evenly;
/// - a draining node holds a replica only while there are too few others, and leads only if no replica stays;
/// - a node that is away keeps what it holds, a lost one only while there are too few others; neither gets anything
///   new or leads while another replica can;
/// - the same problem again gives the same plan: `solve(p, &solve(p, x)) == solve(p, x)`.
///
/// What nobody can hold keeps its place in `previous`: there is nowhere to go.
pub fn solve(problem: &Problem, previous: &Plan) -> Plan {
    if problem.nodes.is_empty() {
        return previous.clone();
    }
    let replicas = replicas::place(problem, previous);
    leaders::choose(problem, previous, replicas)
}

#[cfg(test)]
mod tests;
