CREATE DATABASE `ddl` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
create table `ddl`.`a`(id int primary key,v int default 5) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
alter table `ddl`.`a` add column s varchar(20) not null default 'dflt'
alter table `ddl`.`a` add column dt datetime default '2020-01-01 00:00:00', add column n decimal(8,2) default 1.5
alter table `ddl`.`a` add column first_col int default 9 first
alter table `ddl`.`a` drop column n
alter table `ddl`.`a` modify column v bigint
alter table `ddl`.`a` modify column v varchar(30)
alter table `ddl`.`a` change column s s2 varchar(40)
alter table `ddl`.`a` alter column s2 set default "nd"
alter table `ddl`.`a` rename column s2 to s3
alter table `ddl`.`a` modify column s3 varchar(50) first
alter table `ddl`.`a` add index iv(v)
alter table `ddl`.`a` add unique index us(s3,id)
alter table `ddl`.`a` drop index iv
alter table `ddl`.`a` rename index us to us2
alter table `ddl`.`a` comment='hello'
alter table `ddl`.`a` alter index us2 invisible
create table `ddl`.`b` like `ddl`.`a`
RENAME TABLE `ddl`.`a` TO `ddl`.`a1`
RENAME TABLE `ddl`.`a1` TO `ddl`.`tmp`
RENAME TABLE `ddl`.`b` TO `ddl`.`a1`
RENAME TABLE `ddl`.`tmp` TO `ddl`.`b`
TRUNCATE TABLE `ddl`.`b`
DROP TABLE `ddl`.`b`
create table `ddl`.`b`(id int primary key) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
DROP TABLE `ddl`.`b`
flashback table `ddl`.`b` to b2
create table `ddl`.`p`(id int,v int,primary key(id)) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin partition by range(id)(partition p0 values less than(100),partition p1 values less than(200))
alter table `ddl`.`p` add partition(partition p2 values less than(300))
alter table `ddl`.`p` truncate partition p0
alter table `ddl`.`p` drop partition p1
create table `ddl`.`ex`(id int,v int,primary key(id)) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
ALTER TABLE `ddl`.`p` EXCHANGE PARTITION `p0` WITH TABLE `ddl`.`ex` WITHOUT VALIDATION
alter table `ddl`.`p` reorganize partition p2 into (partition p2a values less than(260),partition p2b values less than(300))
alter table `ddl`.`p` remove partitioning
alter table `ddl`.`p` partition by hash(id) partitions 3
create table `ddl`.`h`(id varchar(10) primary key) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin partition by key(id) partitions 4
create table `ddl`.`l`(id int,r int) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin partition by list(r)(partition pa values in(1,2),partition pb values in(3,null))
CREATE ALGORITHM = UNDEFINED DEFINER = CURRENT_USER SQL SECURITY DEFINER VIEW `ddl`.`vw` AS SELECT `id` AS `id` FROM `ddl`.`p`
DROP VIEW `ddl`.`vw`
CREATE DATABASE `ddl2` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
create table `ddl2`.`t`(id int primary key,v int) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
RENAME TABLE `ddl2`.`t` TO `ddl`.`t2`
create table `ddl2`.`gone`(id int primary key) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
DROP DATABASE `ddl2`
alter table `ddl`.`t2` add column c1 int, add column c2 int, drop column v, add index(id)
alter table `ddl`.`t2` convert to character set utf8mb4 collate utf8mb4_general_ci
alter table `ddl`.`t2` auto_increment=1000
create table `ddl`.`ai`(id bigint primary key /*T![auto_rand] auto_random */,v int) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
create table `ddl`.`fk1`(id int primary key) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
create table `ddl`.`fk2`(id int primary key,p int,foreign key(p) references `ddl`.`fk1`(id)) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
create table `ddl`.`ttl`(id int primary key,ts datetime) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin /*T![ttl] ttl=ts + interval 1 day */
alter table `ddl`.`ttl` /*T![ttl] ttl_enable="OFF" */
create table `ddl`.`ck`(id int primary key,v int,check(v>0)) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
