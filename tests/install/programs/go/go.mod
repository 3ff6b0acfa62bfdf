module example.com/sum

go 1.19

require github.com/parallelstate/parallelstate/bindings/go v0.0.0

replace github.com/parallelstate/parallelstate/bindings/go => ../binding
