module example.com/backend-go

go 1.19
