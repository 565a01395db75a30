//! Throw-away driver.
fn main() {
    let mut args = std::env::args().skip(1);
    let scale: powerfill_generator::Scale = args.next().unwrap().parse().unwrap();
    let seed = args.next().unwrap().parse().unwrap();
    let out = args.next().unwrap();
    let start = std::time::Instant::now();
    let written = powerfill_generator::generate(&scale.sizes(), seed, out.as_ref()).unwrap();
    for t in &written.tables {
        println!("{:34} {:>9} {:>12}", t.table, t.rows, t.bytes);
    }
    println!("{} bytes in {:?}", written.bytes(), start.elapsed());
}
