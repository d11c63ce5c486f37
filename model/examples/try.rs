//! x
use procession_model::{explore::*, mutants, worlds::*};
use std::time::Duration;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let world = match a[1].as_str() {
        "loom" => World::Loom(a.get(2).and_then(|b| b.parse().ok())),
        "rmw" => World::LoomRmw(a.get(2).and_then(|b| b.parse().ok())),
        "dfs" => World::ShuttleDfs(a[2].parse().unwrap()),
        "pct" => World::ShuttlePct(3, a[2].parse().unwrap()),
        _ => World::ShuttleRandom(a[2].parse().unwrap()),
    };
    let mut setting = Setting::new(world);
    setting.limit = Duration::from_secs(20);
    if a.iter().any(|x| x == "kills") {
        setting.kills = true;
    }
    let only = a.iter().find_map(|x| x.strip_prefix("only="));
    if let Some(m) = a.iter().find_map(|x| x.strip_prefix("mutant=")) {
        setting.mutant = mutants::all().into_iter().find(|x| x.to_string() == m);
        assert!(setting.mutant.is_some());
    }
    for s in scenarios() {
        if only.is_some_and(|o| !s.name().starts_with(o)) {
            continue;
        }
        let r = s.run(&setting);
        println!(
            "{:<26} {:<14} ex {:>8} kills {:>3} outcomes {:>3} {:.2?} {}",
            s.name(),
            r.extent.map_or("VIOLATED".into(), |e| e.to_string()),
            r.executions,
            r.kill_points,
            r.outcomes.len(),
            r.took,
            r.violation.as_ref().map_or("", |v| &v.what)
        );
        if let Some(v) = &r.violation
            && a.iter().any(|x| x == "story")
        {
            println!("{}", v.story);
        }
        if a.iter().any(|x| x == "outcomes") {
            for (o, n) in &r.outcomes {
                println!("    {n:>6} {o}");
            }
        }
    }
}
