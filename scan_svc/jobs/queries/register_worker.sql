insert into scan.worker default values returning id
