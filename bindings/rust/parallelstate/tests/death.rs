//! One process of a world is killed; the others' errors name it, and a group without it goes on.

mod common;

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};

use common::config;
use parallelstate::{Context, GroupOptions, RankState, ReduceOp};

const RANKS: i32 = 3;
const VICTIM: i32 = 2;

/// One of the processes, which `the_victim_is_named` starts.
#[test]
#[ignore = "a rank of another test"]
fn rank() {
    let number = |name| std::env::var(name).unwrap().parse::<i32>().unwrap();
    let (rank, folder) = (number("TEST_RANK"), std::env::var("TEST_FOLDER").unwrap());
    let rendezvous = format!("unix://{folder}/world");
    let context = Context::init(&config().rank(rank, RANKS).rendezvous(rendezvous).secret("s")).unwrap();
    let rest = (rank != VICTIM).then(|| context.new_group(&[0, 1], &GroupOptions::named("rest")).unwrap());
    let world = context.world().unwrap();
    world.barrier().unwrap();
    if rank == VICTIM {
        println!("\nready");
        let _ = std::io::stdin().read(&mut [0]); // until it is killed
    }
    let error = loop {
        if let Err(error) = world.all_reduce(&mut [1.0f64; 3], ReduceOp::SUM) {
            break error;
        }
    };
    assert!(error.is_peer_failed(), "{error}");
    println!("\nerror: {error}");
    let info = world.info().unwrap();
    assert_eq!(info.failed_global_rank, Some(VICTIM));
    assert!(info.failure.unwrap().is_peer_failed());
    assert_eq!(context.rank_info(VICTIM).unwrap().state, RankState::DEAD);
    let mut one = [1];
    rest.unwrap().all_reduce(&mut one, ReduceOp::SUM).unwrap();
    assert_eq!(one, [2]);
    context.finalize().unwrap();
}

#[test]
fn the_victim_is_named() {
    let folder = std::env::temp_dir().join(format!("rust-death-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let start = |rank: i32| {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "rank", "--ignored", "--nocapture"])
            .env("TEST_RANK", rank.to_string())
            .env("TEST_FOLDER", &folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let mut ranks: Vec<Child> = (0..RANKS).map(start).collect();
    let victim = &mut ranks[VICTIM as usize];
    let pid = victim.id().to_string();
    let output = BufReader::new(victim.stdout.take().unwrap());
    assert!(output.lines().any(|line| line.unwrap() == "ready"), "the victim ended before its time");
    victim.kill().unwrap();

    for (rank, process) in ranks.into_iter().enumerate() {
        let ended = process.wait_with_output().unwrap();
        if rank == VICTIM as usize {
            assert_eq!(ended.status.signal(), Some(9));
            continue;
        }
        let text = String::from_utf8_lossy(&ended.stdout);
        assert!(ended.status.success(), "rank {rank}: {text}");
        let error = text.lines().find(|line| line.starts_with("error: ")).expect("an error is printed");
        assert!(error.contains("rank 2") && error.contains(&pid), "{error}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}
