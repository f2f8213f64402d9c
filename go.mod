module example.io/slo-apiserver

go 1.26.0
