//! What this binding says of layouts, to be compared with the other bindings: for each line `WORLD SPEC` of the input
//! `HASH SPEC NAME=RANK,RANK/... ALIAS(NAME)=... AXIS:SIZE ...`, or `refused` and the error's text.

use std::fmt::Write as _;
use std::io::{self, BufRead, Write as _};

use parallelstate::{Layout, Result};

fn describe(layout: &Layout) -> Result<String> {
    let mut line = format!("{:016x} {layout}", layout.hash());
    for each in layout.names() {
        write!(line, " {}", each.name).unwrap();
        if let Some(alias_of) = &each.alias_of {
            write!(line, "({alias_of})").unwrap();
        }
        for (index, group) in layout.groups(&each.name)?.iter().enumerate() {
            let ranks: Vec<_> = group.iter().map(i32::to_string).collect();
            write!(line, "{}{}", if index == 0 { '=' } else { '/' }, ranks.join(",")).unwrap();
        }
    }
    for axis in layout.axes() {
        write!(line, " {}:{}", axis.name, axis.size).unwrap();
    }
    Ok(line)
}

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let (world, spec) = line.split_once(' ').expect("a world and a spec");
        match Layout::new(spec, world.parse().expect("a world")).and_then(|layout| describe(&layout)) {
            Ok(text) => writeln!(out, "{text}")?,
            Err(error) => writeln!(out, "refused {error}")?,
        }
    }
    Ok(())
}
