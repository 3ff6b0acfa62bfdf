//! Adds 1 of every rank, in Rust.

use parallelstate::{Config, Context, ReduceOp};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let context = Context::init(&Config::new())?;
    let world = context.world()?;
    let mut values = [1i64];
    world.all_reduce(&mut values, ReduceOp::SUM)?;
    println!("rank {} of {}: sum {}", context.rank(), context.world_size(), values[0]);
    if values[0] != i64::from(context.world_size()) {
        return Err("the sum is not the number of ranks".into());
    }
    Ok(())
}
