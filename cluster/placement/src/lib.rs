//! Where Raft groups live: which nodes hold replicas of which group and which of them should lead.
//!
//! Pure: `solve` looks at nothing but its arguments. It decides a wish; `mangrove-membership` carries it out step by
//! step, one voter change at a time. Address leases are placed by the same rules once there are any.

mod leaders;
mod model;
mod replicas;

pub use model::{GroupId, Node, NodeId, Place, Plan, Problem};

/// Places the groups of `problem`, changing `previous` as little as its rules allow.
///
/// What holds of the result:
/// - every group has a place, with as many different replicas as wanted, or as many as there are usable nodes;
/// - no two replicas share a zone while another zone has a usable node without one;
/// - nodes hold within one of each other's number of replicas as far as zones allow, and lead as evenly;
/// - a draining node holds a replica only while there are too few others, and leads only if all replicas drain;
/// - the same problem again gives the same plan: `solve(p, &solve(p, x)) == solve(p, x)`.
///
/// Without any node the plan keeps `previous` as it is: there is nowhere to go.
pub fn solve(problem: &Problem, previous: &Plan) -> Plan {
    if problem.nodes.is_empty() {
        return previous.clone();
    }
    let replicas = replicas::place(problem, previous);
    leaders::choose(problem, previous, replicas)
}

#[cfg(test)]
mod tests;
