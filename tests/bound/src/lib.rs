//! The bound of a challenge is compared with the optimum of the linear program whose dual it comes
//! from, as an interior-point solver finds it: see the tests. The product has no solver.
