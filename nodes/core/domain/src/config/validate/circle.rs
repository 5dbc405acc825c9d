//! Groups that overflow into one another in a circle: a caller whom nobody can serve would go round for ever.

use std::collections::BTreeMap;

use super::{Findings, Names};
use crate::config::document::{Document, Step};

/// One overflow step that leads to a group: the path in the document and the group's place.
type Edge = (String, usize);

pub(super) fn overflows(document: &Document, names: &Names<'_>, findings: &mut Findings) {
    let places: BTreeMap<&str, usize> =
        document.groups.iter().enumerate().map(|(at, g)| (g.id(), at)).collect();
    let edges: Vec<Vec<Edge>> =
        (0..document.groups.len()).map(|at| leads(document, names, &places, at)).collect();
    let mut done = vec![false; edges.len()];
    for start in 0..edges.len() {
        walk(&edges, start, &mut done, findings);
    }
}

fn leads(document: &Document, names: &Names<'_>, places: &BTreeMap<&str, usize>, at: usize) -> Vec<Edge> {
    let lists = document.groups[at].overflow.lists();
    let steps = lists
        .into_iter()
        .flat_map(|(key, steps)| steps.iter().enumerate().map(move |(n, step)| (key, n, step)));
    steps
        .filter_map(|(key, n, step)| {
            let Step::Group(group) = step else { return None };
            let place = places.get(names.group(&group.extension).ok()?.as_str())?;
            Some((format!("groups[{at}].overflow.{key}[{n}].group"), *place))
        })
        .collect()
}

/// Depth first without recursion: a file may hold thousands of groups in a row.
fn walk(edges: &[Vec<Edge>], start: usize, done: &mut [bool], findings: &mut Findings) {
    let mut way: Vec<(usize, usize)> = if done[start] { Vec::new() } else { vec![(start, 0)] };
    let mut on_way = vec![false; if way.is_empty() { 0 } else { edges.len() }];
    while let Some((at, next)) = way.last_mut() {
        on_way[*at] = true;
        let Some((path, to)) = edges[*at].get(*next) else {
            (on_way[*at], done[*at]) = (false, true);
            way.pop();
            continue;
        };
        *next += 1;
        if on_way[*to] {
            findings.add(
                path,
                "groups overflow in a circle; allowed: a way that ends at an employee or a hang-up",
            );
        } else if !done[*to] {
            way.push((*to, 0));
        }
    }
}
