//! One rank of `psctl demo`, which starts a world of four in several languages: sums in groups, a ring, a report to
//! rank 0, and, when `PS_DEMO_KILL` is 1, the death of rank 2, which the others are told of.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use parallelstate::{Config, Context, Error, Group, GroupOptions, ModelParallelOptions, ReduceOp, NEXT, PREV};

const RANKS: i32 = 4;
const VICTIM: i32 = 2;
const RING_TAG: i32 = 7;
const RING_TOTAL: i64 = 1 + 2 + 3 + 4;
const LAYOUT: &str = "sglang:tp=2,pp=2";
const PIPELINE_TAG: i32 = 1;
const PIPELINE_SUM: i64 = 1 + 2;
const NAME_BYTES: usize = 16;
const LANGUAGE: &str = "Rust";

// As the C library has it: the standard library sends signals to child processes only.
extern "C" {
    fn kill(process: i32, signal: i32) -> i32;
}
const SIGKILL: i32 = 9;

type AnyError = Box<dyn std::error::Error>;

/// A group of two and what came out of it.
struct Pair {
    group: Group,
    members: [i32; 2],
    sum: i64,
    gathered: [i32; 2],
    as_expected: bool,
}

impl Pair {
    fn new(context: &Context, name: &str, members: [i32; 2]) -> parallelstate::Result<Self> {
        let group = context.new_group(&members, &GroupOptions::named(name))?;
        Ok(Pair { group, members, sum: 0, gathered: [0; 2], as_expected: true })
    }

    fn add(&mut self, rank: i32) -> parallelstate::Result<()> {
        let mut values = [(rank + 1) as f32; 4];
        self.group.all_reduce(&mut values, ReduceOp::SUM)?;
        let expected: i32 = self.members.iter().map(|member| member + 1).sum();
        self.as_expected &= values.iter().all(|&value| value == expected as f32);
        self.sum = values[0] as i64;
        Ok(())
    }

    fn collect(&mut self, rank: i32) -> parallelstate::Result<()> {
        self.group.all_gather_into(&[rank], &mut self.gathered)?;
        self.as_expected &= self.gathered == self.members;
        Ok(())
    }
}

/// Prints whole lines, at once.
fn say(text: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

fn languages(world: &Group) -> parallelstate::Result<Vec<String>> {
    let mut own = [0u8; NAME_BYTES];
    own[..LANGUAGE.len()].copy_from_slice(LANGUAGE.as_bytes());
    let mut names = [0u8; NAME_BYTES * RANKS as usize];
    world.all_gather_into(&own, &mut names)?;
    let text = |name: &[u8]| String::from_utf8_lossy(name).trim_end_matches('\0').to_owned();
    Ok(names.chunks(NAME_BYTES).map(text).collect())
}

fn pass_token(world: &Group, rank: i32) -> parallelstate::Result<i64> {
    let mut token = [0i64];
    for _ in 0..RANKS {
        let mut received = [0];
        world.send_recv(&token, &mut received, NEXT, PREV, RING_TAG)?;
        token[0] = received[0] + i64::from(rank) + 1;
    }
    Ok(token[0])
}

/// The groups of a layout, by name: a sum within a stage, which the first stage then sends to the last.
fn run_pipeline(context: &Context, rank: i32) -> parallelstate::Result<i64> {
    context.init_model_parallel(LAYOUT, &ModelParallelOptions::new())?;
    let mut sum = [i64::from(rank) + 1];
    context.group("tp")?.all_reduce(&mut sum, ReduceOp::SUM)?;
    let stage = context.group("pp")?;
    if stage.is_first() {
        stage.send(&sum, NEXT, PIPELINE_TAG)?;
    } else {
        stage.recv(&mut sum, PREV, PIPELINE_TAG)?;
    }
    context.destroy_model_parallel()?;
    Ok(sum[0])
}

fn table(reports: &[[i64; 11]], names: &[String]) -> String {
    let mut text = "\nrank  language  process   tp group  its sum   dp group  its sum   ring token  pipeline  \
                    as expected\n"
        .to_owned();
    for &[rank, process, tp_sum, dp_sum, tp_first, tp_last, dp_first, dp_last, token, pipeline, good] in reports {
        text += &format!(
            "{rank:4}  {:8}  {process:7}   [{tp_first}, {tp_last}]    {tp_sum:7}   [{dp_first}, {dp_last}]    \
             {dp_sum:7}   {token:10}  {pipeline:8}  {}\n",
            names[rank as usize],
            if good == 1 { "yes" } else { "NO" }
        );
    }
    text += &format!(
        "\nEvery rank gave its number + 1 to a sum in each of its groups; a token went round the ring and gained\n\
         the same from every rank: 1 + 2 + 3 + 4 = {RING_TOTAL}; in the layout {LAYOUT} the first stage's sum, \
         {PIPELINE_SUM}, went\ndown the pipeline.\n"
    );
    text
}

fn die(rank: i32) -> ! {
    say(&format!("rank {rank} kills its own process now (SIGKILL), while the others wait for it in a barrier"));
    std::thread::sleep(Duration::from_millis(300));
    // SAFETY: a signal to this process, which never returns.
    unsafe { kill(std::process::id() as i32, SIGKILL) };
    std::process::abort()
}

fn outlive(world: &Group, rank: i32) -> bool {
    let error: Error = loop {
        if let Err(error) = world.barrier() {
            break error;
        }
    };
    say(&format!("rank {rank} got {}: {error}", error.code()));
    error.is_peer_failed()
}

fn demonstrate() -> Result<bool, AnyError> {
    let context = Context::init(&Config::new())?;
    let rank = context.rank();
    if context.world_size() != RANKS {
        return Err(format!("the demonstration has four ranks, this world has {}", context.world_size()).into());
    }
    let process = std::process::id();
    say(&format!("rank {rank} of {RANKS}, written in {LANGUAGE}, is process {process}"));
    let world = context.world()?;
    let names = languages(&world)?;

    let mut tp = Pair::new(&context, "tp", if rank < 2 { [0, 1] } else { [2, 3] })?;
    let mut dp = Pair::new(&context, "dp", if rank % 2 == 0 { [0, 2] } else { [1, 3] })?;
    tp.add(rank)?;
    dp.add(rank)?;
    tp.collect(rank)?;
    dp.collect(rank)?;
    let token = pass_token(&world, rank)?;
    let sum = run_pipeline(&context, rank)?;
    let as_expected = tp.as_expected && dp.as_expected && token == RING_TOTAL && sum == PIPELINE_SUM;

    let [tp_first, tp_last] = tp.gathered.map(i64::from);
    let [dp_first, dp_last] = dp.gathered.map(i64::from);
    let good = i64::from(as_expected);
    let report = [rank.into(), process.into(), tp.sum, dp.sum, tp_first, tp_last, dp_first, dp_last, token, sum, good];
    let mut reports = vec![0; if world.is_first() { report.len() * RANKS as usize } else { 0 }];
    world.gather_into(&report, &mut reports, 0)?;
    if world.is_first() {
        let rows: Vec<[i64; 11]> =
            reports.chunks(report.len()).map(|row| row.try_into().expect("whole rows")).collect();
        say(&table(&rows, &names));
    }
    world.barrier()?;

    let survived = match std::env::var("PS_DEMO_KILL") {
        Ok(kill) if kill == "1" && rank == VICTIM => die(rank),
        Ok(kill) if kill == "1" => outlive(&world, rank),
        _ => true,
    };
    context.finalize()?;
    Ok(as_expected && survived)
}

fn main() -> ExitCode {
    match demonstrate() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
