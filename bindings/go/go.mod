module github.com/parallelstate/parallelstate/bindings/go

go 1.19
