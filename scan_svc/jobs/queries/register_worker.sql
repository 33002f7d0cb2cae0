insert into scan.worker (stages) values ($1) returning id
