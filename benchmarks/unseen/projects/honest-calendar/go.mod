module example.test/calendar

go 1.19
