//! Runs the table that all bindings share: `conformance tests/conformance/table.txt`. Four threads are the ranks; with
//! `PS_RANK` set, this process is one rank of a world whose other ranks may be in other languages. The head of the
//! table says what its columns mean.

use std::any::Any;
use std::fmt::Debug;
use std::process::ExitCode;
use std::time::Duration;

use half::{bf16, f16};
use parallelstate::{
    Blocks, Bool8, Config, Context, Element, Error, Group, GroupOptions, ReduceOp, Result, F8E4M3, F8E5M2, NEXT, PREV,
};

const RANKS: i32 = 4;
const TAG: i32 = 5;
const DEADLINE: Duration = Duration::from_secs(60);

struct Row {
    name: String,
    ranks: i32,
    columns: Vec<String>,
    result: String,
}

impl Row {
    fn parse(line: &str) -> Row {
        let cells: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(cells.len(), 10, "not a row: {line}");
        Row {
            name: cells[0].to_owned(),
            ranks: cells[1].parse().expect("ranks"),
            columns: cells[2..9].iter().map(|&cell| cell.to_owned()).collect(),
            result: cells[9].to_owned(),
        }
    }

    /// What a column says for `rank`, or nothing.
    fn cell(&self, column: usize, rank: usize) -> &str {
        let cell = &self.columns[column];
        let part = if cell.contains('/') { cell.split('/').nth(rank).expect("a part for each rank") } else { cell };
        if part == "-" {
            ""
        } else {
            part
        }
    }

    fn operation(&self, rank: usize) -> &str {
        self.cell(0, rank)
    }

    fn root(&self, rank: usize) -> i32 {
        self.cell(3, rank).parse().unwrap_or(0)
    }

    fn counts(&self, rank: usize) -> Vec<usize> {
        split(self.cell(4, rank), ',').map(|count| count.parse().expect("a count")).collect()
    }
}

fn split(cell: &str, separator: char) -> impl Iterator<Item = &str> {
    cell.split(separator).filter(|part| !part.is_empty())
}

/// An element that the table can state.
trait Value: Element + PartialEq + Debug {
    fn parse(text: &str) -> Self;
}

fn bits(text: &str) -> u64 {
    text.strip_prefix("0x").map_or_else(
        || text.parse().unwrap_or_else(|_| panic!("{text} is no number")),
        |digits| u64::from_str_radix(digits, 16).unwrap_or_else(|_| panic!("{text} is no number")),
    )
}

macro_rules! values {
    ($($type:ty: $text:ident => $value:expr;)*) => {$(
        impl Value for $type {
            fn parse($text: &str) -> Self {
                $value
            }
        }
    )*};
}

values! {
    i8: text => text.parse().expect("a number");
    i16: text => text.parse().expect("a number");
    i32: text => text.parse().expect("a number");
    i64: text => text.parse().expect("a number");
    u8: text => text.parse().expect("a number");
    u16: text => text.parse().expect("a number");
    u32: text => text.parse().expect("a number");
    u64: text => text.parse().expect("a number");
    f32: text => text.parse().expect("a number");
    f64: text => text.parse().expect("a number");
    f16: text => f16::from_bits(bits(text) as u16);
    bf16: text => bf16::from_bits(bits(text) as u16);
    F8E4M3: text => F8E4M3::from_bits(bits(text) as u8);
    F8E5M2: text => F8E5M2::from_bits(bits(text) as u8);
    Bool8: text => Bool8::from(bits(text) != 0);
}

/// Blocks one after another, each filled with the values that a cell states for it.
fn fill<T: Value>(cell: &str, counts: &[usize]) -> Vec<T> {
    let blocks: Vec<&str> = cell.split(';').collect();
    let mut data = Vec::new();
    for (index, &count) in counts.iter().enumerate() {
        let block = if blocks.len() == 1 { blocks[0] } else { blocks[index] };
        let values: Vec<T> = split(block, ',').filter(|&text| text != "-").map(T::parse).collect();
        data.extend(values.iter().cycle().take(count));
    }
    data
}

/// Everything about a row on one rank.
struct Case<'a, T> {
    group: &'a Group,
    operation: &'a str,
    op: ReduceOp,
    root: i32,
    sent: Vec<usize>,
    received: Vec<usize>,
    counts: Vec<usize>,
    send: Vec<T>,
    expected: Vec<T>,
    mark: T,
}

fn block(counts: &[usize], rank: usize) -> std::ops::Range<usize> {
    let offset = counts[..rank].iter().sum();
    offset..offset + counts[rank]
}

impl<'a, T: Value> Case<'a, T> {
    fn new(group: &'a Group, row: &'a Row, op: ReduceOp) -> Self {
        let (rank, size) = (group.rank() as usize, group.size() as usize);
        let (operation, counts, root) = (row.operation(rank), row.counts(rank), row.root(rank));
        let one = counts.first().map_or_else(Vec::new, |&count| vec![count]);
        let each = one.repeat(size);
        let own = counts.get(rank).map_or_else(Vec::new, |&count| vec![count]);
        let only = |condition: bool, counts: &Vec<usize>| if condition { counts.clone() } else { Vec::new() };
        let is_root = root == group.rank();
        let (sent, received) = match operation {
            "all_reduce" | "send_recv" => (one.clone(), one),
            "reduce" => (one.clone(), only(is_root, &one)),
            "broadcast" => (only(is_root, &one), one),
            "all_gather" => (one, each),
            "gather" => (one, only(is_root, &each)),
            "scatter" => (only(is_root, &each), one),
            "reduce_scatter" => (each, one),
            "all_to_all" => (each.clone(), each),
            "all_gather_v" => (own, counts.clone()),
            "gather_v" => (own, only(is_root, &counts)),
            "scatter_v" => (only(is_root, &counts), own),
            "reduce_scatter_v" => (counts.clone(), own),
            "all_to_all_v" => (counts.clone(), (0..size).map(|other| row.counts(other)[rank]).collect()),
            "barrier" => (Vec::new(), Vec::new()),
            _ => panic!("unknown operation {operation}"),
        };
        let mark = T::parse("1");
        let (send, expected) = (fill(row.cell(5, rank), &sent), fill(row.cell(6, rank), &received));
        Case { group, operation, op, root, sent, received, counts, send, expected, mark }
    }

    fn room(&self) -> Vec<T> {
        vec![self.mark; self.received.iter().sum()]
    }

    fn blocking(&self, recv: &mut [T]) -> Result<()> {
        let (group, send, op, root) = (self.group, &self.send[..], self.op, self.root);
        let (sent, received, counts) = (Blocks::packed(&self.sent), Blocks::packed(&self.received), &self.counts);
        match self.operation {
            "all_reduce" => group.all_reduce_into(send, recv, op),
            "reduce" => group.reduce_into(send, recv, op, root),
            "broadcast" => group.broadcast_into(send, recv, root),
            "all_gather" => group.all_gather_into(send, recv),
            "all_gather_v" => group.all_gather_v_into(send, recv, received),
            "gather" => group.gather_into(send, recv, root),
            "gather_v" => group.gather_v_into(send, recv, received, root),
            "scatter" => group.scatter_into(send, recv, root),
            "scatter_v" => group.scatter_v_into(send, recv, sent, root),
            "reduce_scatter" => group.reduce_scatter_into(send, recv, op),
            "reduce_scatter_v" => group.reduce_scatter_v_into(send, recv, counts, op),
            "all_to_all" => group.all_to_all_into(send, recv),
            "all_to_all_v" => group.all_to_all_v_into(send, recv, sent, received),
            "send_recv" => group.send_recv(send, recv, NEXT, PREV, TAG),
            _ => group.barrier(),
        }
    }

    fn asynchronous(&self) -> Result<Vec<T>> {
        let (group, send, recv, op, root) = (self.group, self.send.clone(), self.room(), self.op, self.root);
        let (sent, received, counts) = (Blocks::packed(&self.sent), Blocks::packed(&self.received), &self.counts);
        let work = match self.operation {
            "all_reduce" => group.all_reduce_into_async(send, recv, op),
            "reduce" => group.reduce_into_async(send, recv, op, root),
            "broadcast" => group.broadcast_into_async(send, recv, root),
            "all_gather" => group.all_gather_into_async(send, recv),
            "all_gather_v" => group.all_gather_v_into_async(send, recv, received),
            "gather" => group.gather_into_async(send, recv, root),
            "gather_v" => group.gather_v_into_async(send, recv, received, root),
            "scatter" => group.scatter_into_async(send, recv, root),
            "scatter_v" => group.scatter_v_into_async(send, recv, sent, root),
            "reduce_scatter" => group.reduce_scatter_into_async(send, recv, op),
            "reduce_scatter_v" => group.reduce_scatter_v_into_async(send, recv, counts, op),
            "all_to_all" => group.all_to_all_into_async(send, recv),
            "all_to_all_v" => group.all_to_all_v_into_async(send, recv, sent, received),
            "send_recv" => group.send_recv_async(send, recv, NEXT, PREV, TAG),
            _ => {
                group.barrier_async()?.wait()?;
                return Ok(Vec::new());
            }
        };
        Ok(work?.wait()?.1)
    }

    /// The received part of a buffer that was sent from and received into.
    fn in_place(&self) -> Result<Vec<T>> {
        let (group, op, root, rank) = (self.group, self.op, self.root, self.group.rank() as usize);
        let (sent, received, counts) = (Blocks::packed(&self.sent), Blocks::packed(&self.received), &self.counts);
        let (mut data, mut recv) = (self.send.clone(), self.room());
        let is_root = root == group.rank();
        match self.operation {
            "all_reduce" => group.all_reduce(&mut data, op)?,
            "reduce" => {
                group.reduce(&mut data, op, root)?;
                data.truncate(recv.len());
            }
            "broadcast" => {
                data.resize(recv.len(), self.mark);
                group.broadcast(&mut data, root)?;
            }
            "all_gather" | "all_gather_v" | "gather" | "gather_v" if !self.received.is_empty() => {
                recv[block(&self.received, rank)].copy_from_slice(&data);
                match self.operation {
                    "all_gather" => group.all_gather(&mut recv)?,
                    "all_gather_v" => group.all_gather_v(&mut recv, received)?,
                    "gather" => group.gather(&mut recv, root)?,
                    _ => group.gather_v(&mut recv, received, root)?,
                }
                data = recv;
            }
            "gather" | "gather_v" => {
                match self.operation {
                    "gather" => group.gather(&mut data, root)?,
                    _ => group.gather_v(&mut data, Blocks::none(), root)?,
                }
                data.clear();
            }
            "scatter" | "scatter_v" if !is_root => {
                match self.operation {
                    "scatter" => group.scatter(&mut recv, root)?,
                    _ => group.scatter_v(&mut recv, Blocks::none(), root)?,
                }
                data = recv;
            }
            "scatter" | "scatter_v" | "reduce_scatter" | "reduce_scatter_v" => {
                match self.operation {
                    "scatter" => group.scatter(&mut data, root)?,
                    "scatter_v" => group.scatter_v(&mut data, sent, root)?,
                    "reduce_scatter" => group.reduce_scatter(&mut data, op)?,
                    _ => group.reduce_scatter_v(&mut data, counts, op)?,
                }
                data = data[block(&self.sent, rank)].to_vec();
            }
            "all_to_all" => group.all_to_all(&mut data)?,
            "all_to_all_v" if self.sent == self.received => group.all_to_all_v(&mut data, sent)?,
            _ => {
                self.blocking(&mut recv)?;
                data = recv;
            }
        }
        Ok(data)
    }

    fn compare(&self, round: &str, result: Result<Vec<T>>) -> std::result::Result<(), String> {
        let found = result.map_err(|error| format!("{round}: {}: {error}", error.code()))?;
        if found.len() != self.expected.len() {
            return Err(format!("{round}: {} elements instead of {}", found.len(), self.expected.len()));
        }
        match found.iter().zip(&self.expected).position(|(found, expected)| found != expected) {
            Some(at) => Err(format!("{round}: element {at} is {:?} instead of {:?}", found[at], self.expected[at])),
            None => Ok(()),
        }
    }

    fn run(&self, expected: &str) -> std::result::Result<(), String> {
        let mut recv = self.room();
        let result = self.blocking(&mut recv);
        if expected == "ok" {
            self.compare("out of place", result.map(|()| recv))?;
            self.compare("asynchronous", self.asynchronous())?;
            return self.compare("in place", self.in_place());
        }
        match result {
            Ok(()) => Err(format!("it succeeded instead of {expected}")),
            Err(error) if error.code().name() != expected => {
                Err(format!("{} instead of {expected}: {error}", error.code()))
            }
            Err(_) if recv.iter().any(|value| *value != self.mark) => Err("the output was touched".to_owned()),
            Err(_) => Ok(()),
        }
    }
}

/// The reduction, and what has to live as long.
fn reduction(group: &Group, dtype: &str, text: &str) -> Result<(ReduceOp, Option<Box<dyn Any>>)> {
    if let Some(factor) = text.strip_prefix("premul_sum=") {
        if dtype == "float64" {
            let made = group.premul_sum::<f64>(factor.parse().expect("a factor"))?;
            return Ok((made.op(), Some(Box::new(made))));
        }
        let made = group.premul_sum::<f32>(factor.parse().expect("a factor"))?;
        return Ok((made.op(), Some(Box::new(made))));
    }
    let op = match text {
        "sum" | "" => ReduceOp::SUM,
        "product" => ReduceOp::PRODUCT,
        "min" => ReduceOp::MIN,
        "max" => ReduceOp::MAX,
        "avg" => ReduceOp::AVG,
        "bit_and" => ReduceOp::BIT_AND,
        "bit_or" => ReduceOp::BIT_OR,
        "bit_xor" => ReduceOp::BIT_XOR,
        "logical_and" => ReduceOp::LOGICAL_AND,
        "logical_or" => ReduceOp::LOGICAL_OR,
        "logical_xor" => ReduceOp::LOGICAL_XOR,
        _ => panic!("unknown reduction {text}"),
    };
    Ok((op, None))
}

fn run_row(group: &Group, row: &Row) -> std::result::Result<(), String> {
    let rank = group.rank() as usize;
    let dtype = row.cell(1, rank);
    let (op, _living) = reduction(group, dtype, row.cell(2, rank)).map_err(|error| error.to_string())?;
    let result = &row.result;
    match dtype {
        "int8" => Case::<i8>::new(group, row, op).run(result),
        "int16" => Case::<i16>::new(group, row, op).run(result),
        "int32" => Case::<i32>::new(group, row, op).run(result),
        "int64" => Case::<i64>::new(group, row, op).run(result),
        "uint8" | "" => Case::<u8>::new(group, row, op).run(result),
        "uint16" => Case::<u16>::new(group, row, op).run(result),
        "uint32" => Case::<u32>::new(group, row, op).run(result),
        "uint64" => Case::<u64>::new(group, row, op).run(result),
        "float32" => Case::<f32>::new(group, row, op).run(result),
        "float64" => Case::<f64>::new(group, row, op).run(result),
        "float16" => Case::<f16>::new(group, row, op).run(result),
        "bfloat16" => Case::<bf16>::new(group, row, op).run(result),
        "float8_e4m3" => Case::<F8E4M3>::new(group, row, op).run(result),
        "float8_e5m2" => Case::<F8E5M2>::new(group, row, op).run(result),
        "bool" => Case::<Bool8>::new(group, row, op).run(result),
        _ => panic!("unknown type {dtype}"),
    }
}

/// Runs all rows as one rank; whether they were as stated.
fn run_table(context: &Context, table: &[Row]) -> Result<bool> {
    let rank = context.rank();
    let (mut rows, mut failures) = (0, 0);
    for row in table.iter().filter(|row| rank < row.ranks) {
        let members: Vec<i32> = (0..row.ranks).collect();
        let group = context.new_group(&members, &GroupOptions::named(&*row.name))?;
        rows += 1;
        if let Err(difference) = run_row(&group, row) {
            failures += 1;
            eprintln!("rank {rank}: {}: {difference}", row.name);
        }
        group.close()?;
    }
    if failures == 0 {
        println!("rank {rank}: {rows} rows ok");
    } else {
        println!("rank {rank}: {failures} of {rows} rows failed");
    }
    Ok(failures == 0)
}

fn run_rank(config: &Config, table: &[Row]) -> bool {
    let run = || -> Result<bool, Error> {
        let context = Context::init(config)?;
        let good = run_table(&context, table)?;
        context.finalize()?;
        Ok(good)
    };
    run().unwrap_or_else(|error| {
        eprintln!("{}: {error}", error.code());
        false
    })
}

fn main() -> ExitCode {
    let path = std::env::args().nth(1).expect("usage: conformance TABLE");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let table: Vec<Row> = lines.map(Row::parse).collect();

    let config = Config::new().timeout(DEADLINE).init_timeout(DEADLINE).host_only(true);
    let good = if std::env::var_os("PS_RANK").is_some() {
        run_rank(&config, &table)
    } else {
        let config = config.rendezvous(format!("mem://conformance-{}", std::process::id())).no_environment(true);
        std::thread::scope(|threads| {
            let rank = |rank| {
                let (config, table) = (config.clone().rank(rank, RANKS), &table);
                threads.spawn(move || run_rank(&config, table))
            };
            let ranks: Vec<_> = (0..RANKS).map(rank).collect();
            let good: Vec<bool> = ranks.into_iter().map(|rank| rank.join().unwrap_or(false)).collect();
            good == [true; RANKS as usize]
        })
    };
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
