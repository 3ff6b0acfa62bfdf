//! Sums a vector over all ranks: `psctl run -n 4 -- target/debug/examples/hello`.

use parallelstate::{Config, Context, ReduceOp};

fn main() -> parallelstate::Result<()> {
    let context = Context::init(&Config::new())?;
    let world = context.world()?;

    let mut x = vec![world.rank() as f32; 4];
    world.all_reduce(&mut x, ReduceOp::SUM)?;

    println!("rank {} of {} has {:?}", world.rank(), world.size(), x);
    context.finalize()
}
