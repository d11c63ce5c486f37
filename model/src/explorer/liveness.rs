//! Liveness, on the finished graph: can everybody always still come to an end, and can nobody be kept from it for ever by
//! others who are treated fairly?
//!
//! Who waits for what, by the specification, need not come has come to an end as well: a getter whose putters are all dead
//! waits lawfully. What a dead one had under way need not have happened, so nobody need be woken by it.
//!
//! Nobody can count on a whim: a kill, or a wake-up for no reason. So whims lead nowhere here.

use super::seen::Graph;
use std::collections::{HashMap, HashSet, VecDeque};
use std::panic::resume_unwind;
use std::thread;

/// A state from which things go wrong, why, and the way round from there, state by state, if it is a circle.
pub(super) struct Stuck {
    pub(super) state: u32,
    pub(super) what: &'static str,
    pub(super) circle: Vec<u32>,
}

/// The first state that is wrong. The two questions may be asked at once, by two threads.
pub(super) fn judge(graph: &Graph, at_once: bool) -> Option<Stuck> {
    let what = "from here nobody can ever come to an end";
    let (unreachable, cycle) = thread::scope(|threads| {
        let cycle = at_once.then(|| threads.spawn(|| fair_cycle(graph)));
        (unreachable_end(graph), cycle.map(|cycle| cycle.join().unwrap_or_else(|panic| resume_unwind(panic))))
    });
    let stuck = unreachable.map(|state| Stuck { state, what, circle: Vec::new() });
    stuck.or_else(|| {
        let component = cycle.unwrap_or_else(|| fair_cycle(graph))?;
        let state = component.iter().copied().min()?;
        let what = "from here everybody can run for ever and nobody gets on";
        Some(Stuck { state: state as u32, what, circle: circle(graph, state, &component) })
    })
}

/// The shortest way from a state back to it within its component.
fn circle(graph: &Graph, state: usize, component: &HashSet<usize>) -> Vec<u32> {
    let mut before = HashMap::new();
    let mut next = VecDeque::from([state]);
    while let Some(from) = next.pop_front() {
        for (to, _) in edges(graph, from).filter(|(to, _)| component.contains(to)) {
            if to == state {
                let mut way = vec![state as u32];
                let mut at = from;
                while at != state {
                    way.push(at as u32);
                    at = before[&at];
                }
                way.reverse();
                return way;
            }
            before.entry(to).or_insert_with(|| {
                next.push_back(to);
                from
            });
        }
    }
    Vec::new()
}

fn edges(graph: &Graph, state: usize) -> impl Iterator<Item = (usize, u8)> + '_ {
    let range = graph.starts[state] as usize..graph.starts[state + 1] as usize;
    graph.edges[range].iter().filter_map(|edge| Some((edge.to as usize, edge.who?)))
}

/// A state from which no end can be reached.
fn unreachable_end(graph: &Graph) -> Option<u32> {
    let states = graph.over.len();
    // The graph turned around, in two passes, as one list.
    let mut starts = vec![0u32; states + 1];
    (0..states).flat_map(|state| edges(graph, state)).for_each(|(to, _)| starts[to + 1] += 1);
    (0..states).for_each(|state| starts[state + 1] += starts[state]);
    let mut fill = starts.clone();
    let mut back = vec![0u32; starts[states] as usize];
    for state in 0..states {
        for (to, _) in edges(graph, state) {
            back[fill[to] as usize] = state as u32;
            fill[to] += 1;
        }
    }
    let mut reaches = graph.over.clone();
    let mut next: Vec<usize> = (0..states).filter(|state| reaches[*state]).collect();
    while let Some(state) = next.pop() {
        for before in &back[starts[state] as usize..starts[state + 1] as usize] {
            if !std::mem::replace(&mut reaches[*before as usize], true) {
                next.push(*before as usize);
            }
        }
    }
    reaches.iter().position(|reaches| !reaches).map(|state| state as u32)
}

/// The states of a cycle that a fair machine can stay in: whoever can move somewhere on it either moves within it, or cannot move
/// everywhere on it. No operation ends on a cycle, for a role never goes back to an earlier operation.
fn fair_cycle(graph: &Graph) -> Option<HashSet<usize>> {
    components(graph).into_iter().find_map(|component| {
        let inside: HashSet<usize> = component.iter().copied().collect();
        // One bit for each mover: who moves within, and who can move everywhere.
        let (mut moves, mut always, mut has_cycle) = (0u64, u64::MAX, false);
        for state in &component {
            let mut can = 0u64;
            for (to, who) in edges(graph, *state) {
                can |= 1 << who;
                if inside.contains(&to) {
                    has_cycle = true;
                    moves |= 1 << who;
                }
            }
            always &= can;
        }
        let is_fair = always & !moves == 0;
        (has_cycle && is_fair).then_some(inside)
    })
}

/// The strongly connected components that may hold a cycle (Tarjan, without recursion).
fn components(graph: &Graph) -> Vec<Vec<usize>> {
    const UNSEEN: u32 = u32::MAX;
    let states = graph.over.len();
    let (mut index, mut low) = (vec![UNSEEN; states], vec![0u32; states]);
    let mut on_stack = vec![false; states];
    let (mut stack, mut found, mut count) = (Vec::new(), Vec::new(), 0u32);
    for root in 0..states {
        if index[root] != UNSEEN {
            continue;
        }
        let mut calls: Vec<(usize, usize)> = vec![(root, graph.starts[root] as usize)];
        while let Some((state, edge)) = calls.last_mut() {
            let (state, at) = (*state, *edge);
            if index[state] == UNSEEN {
                (index[state], low[state]) = (count, count);
                count += 1;
                stack.push(state);
                on_stack[state] = true;
            }
            if at < graph.starts[state + 1] as usize {
                *edge += 1;
                let step = graph.edges[at];
                let to = step.to as usize;
                if step.who.is_none() {
                    continue;
                }
                if index[to] == UNSEEN {
                    calls.push((to, graph.starts[to] as usize));
                } else if on_stack[to] {
                    low[state] = low[state].min(index[to]);
                }
                continue;
            }
            calls.pop();
            if let Some((caller, _)) = calls.last() {
                low[*caller] = low[*caller].min(low[state]);
            }
            if low[state] == index[state] {
                let from = stack.iter().rposition(|member| *member == state).unwrap_or_default();
                let component: Vec<usize> = stack.drain(from..).collect();
                component.iter().for_each(|member| on_stack[*member] = false);
                let loops = component.len() > 1 || edges(graph, state).any(|(to, _)| to == state);
                found.extend(loops.then_some(component));
            }
        }
    }
    found
}
