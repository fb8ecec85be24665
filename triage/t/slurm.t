#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# A campaign on a Slurm cluster: two nodes on this machine, one of which dies.
use strict;
use warnings;
use File::Temp 'tempdir';
use FindBin;
use Test::More;
use lib $FindBin::Bin;
use Heddle;

my @missing = grep { !-x } map { my $p = $_; (grep { -x } "/usr/sbin/$p",
	"/usr/bin/$p")[0] // "/usr/sbin/$p" } qw(munged slurmctld slurmd sbatch);
plan skip_all => "Slurm is not installed (slurm-wlm, munge): @missing" if @missing;
plan skip_all => 'slurmd needs root' if $>;

my $dir = tempdir('heddle-slurm-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $base = 20000 + $$ % 20000; # ports that nobody else is likely to have
my %daemon;
$ENV{SLURM_CONF} = "$dir/slurm.conf";
my $heddle = "$FindBin::Bin/../../build/heddle";
my $script = "$FindBin::Bin/../../fuzz/campaign/slurm.sh";

sub daemon {
	my ($name, @command) = @_;
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		setpgrp;
		open STDIN, '<', '/dev/null';
		open STDOUT, '>', "$dir/$name.out";
		open STDERR, '>&', \*STDOUT;
		exec @command or exit 127;
	}
	$daemon{$name} = $pid;
}

# What a node runs: by its environment, and the steps above it, which have another.
sub steps_of {
	my ($node) = @_;
	my %pids;
	for my $pid (map { m{(\d+)} } glob '/proc/[0-9]*') {
		my $env = slurp("/proc/$pid/environ");
		next unless $env =~ /^(.*\0)?SLURMD_NODENAME=\Q$node\E\0/s &&
			index($env, "SLURM_CONF=$dir/") >= 0;
		$pids{$pid} = 1;
		my ($parent) = slurp("/proc/$pid/stat") =~ /\) \S (\d+)/ or next;
		$pids{$parent} = 1
			if slurp("/proc/$parent/cmdline") =~ /^slurmstepd/;
	}
	return keys %pids;
}

END {
	my $status = $?;
	kill KILL => values %daemon, steps_of('n1'), steps_of('n2') if %daemon;
	$? = $status;
}

sub wait_for {
	my ($seconds, $what) = @_;
	for (1 .. $seconds * 5) {
		return 1 if $what->();
		select undef, undef, undef, 0.2;
	}
	return 0;
}

# --- the cluster
mkdir "$dir/$_" for qw(state spool.n1 spool.n2);
spew("$dir/munge.key", join '', map { chr int rand 256 } 1 .. 1024);
chmod 0400, "$dir/munge.key";
chmod 0755, $dir;
spew("$dir/slurm.conf", <<EOF);
ClusterName=heddle
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort=$base
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge.socket
CredType=cred/munge
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool.%n
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
MailProg=/bin/true
SchedulerParameters=sched_min_interval=200000,batch_sched_delay=0
NodeName=n1 NodeHostname=localhost NodeAddr=127.0.0.1 Port=@{[$base + 1]} CPUs=1
NodeName=n2 NodeHostname=localhost NodeAddr=127.0.0.1 Port=@{[$base + 2]} CPUs=1
PartitionName=all Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
EOF
daemon('munged', '/usr/sbin/munged', '--foreground', '--force',
	"--key-file=$dir/munge.key", "--socket=$dir/munge.socket",
	"--pid-file=$dir/munge.pid", "--log-file=$dir/munge.log",
	"--seed-file=$dir/munge.seed");
wait_for(10, sub { -S "$dir/munge.socket" }) or BAIL_OUT('munged did not start');
daemon('slurmctld', '/usr/sbin/slurmctld', '-D', '-f', "$dir/slurm.conf");
daemon($_, '/usr/sbin/slurmd', '-D', '-f', "$dir/slurm.conf", '-N', $_)
	for qw(n1 n2);
my $up = wait_for(40, sub { (() = `sinfo -h -N -o %t 2>/dev/null` =~ /idle/g) == 2 });
ok $up, 'two nodes are there' or diag `cat $dir/*.out; sinfo`;

# --- wrong usage, before anything is submitted
my $said = `sh $script --time=soon --heddle=$heddle --out=$dir/o 2>&1`;
is $? >> 8, 2, 'a time that is none';
like $said, qr/^slurm.sh: not a time: soon/, '... says so';
ok !-e "$dir/o", '... and makes no folder';

# --- a campaign of three targets in three jobs, while n2 dies
my $out = "$dir/night";
my $pid = fork // die "fork: $!\n";
if (!$pid) {
	open STDOUT, '>', "$dir/submit.out";
	open STDERR, '>&', \*STDOUT;
	exec 'sh', $script, "--out=$out", '--time=6s', '--jobs=3',
		"--heddle=$heddle", '--wait', 'abba:buggy', 'bench_vma_lock:buggy';
}
my ($job, $task);
my $busy = wait_for(30, sub {
	($job, $task) = `squeue -h -t R -w n2 -n heddle-fuzz -o '%A %K'` =~ /(\d+) (\d+)/;
	defined $task && (() = glob "$out/jobs/*/$task/*.bin") });
ok $busy, 'n2 fuzzes and has found something'
	or diag `cat $dir/submit.out; squeue; sinfo`;
kill KILL => $daemon{n2}, steps_of('n2'); # a machine without power
waitpid $daemon{n2}, 0;
my @before = glob "$out/jobs/*/*/*.bin";
system qw(scontrol update NodeName=n2 State=DOWN Reason=died);
ok wait_for(20, sub { `scontrol show job $job` =~ /Restarts=1/ }),
	'its job is queued again' or diag `scontrol show job $job`;
system qw(scontrol update), "JobId=$job", 'StartTime=now'; # not in two minutes

my $done = wait_for(90, sub { waitpid($pid, 1) > 0 });
my $rc = $? >> 8;
ok $done, 'the campaign ends' or diag `cat $dir/submit.out; squeue`;
is $rc, 0, '... well' or diag `cat $dir/submit.out; cat $out/jobs/*.out`;

open my $f, '<', "$out/summary.txt" or diag "summary.txt: $!";
my $summary = $f ? join '', <$f> : '';
like $summary, qr/^canary_abba:planted: deadlock a b c$/m, 'the canary was found';
like $summary, qr/^abba:buggy: deadlock a b$/m, '... a deadlock';
like $summary, qr/^bench_vma_lock:buggy: assert a == b$/m, '... an assertion';
like $summary, qr/^  proved minimal: /m, '... minimal, with proof';
unlike $summary, qr/WITHOUT A RESULT/, '... and no job lost';
my @kept = grep { -s "$_/min.sched" && -s "$_/report.txt" }
	glob "$out/findings/*/*";
is scalar @kept, scalar(my @all = glob "$out/findings/*/*"),
	'each has its schedule and its report';
is scalar(grep { !-e } @before), 0, 'what was saved before n2 died is still there';
for my $file (@before) {
	my ($target, $signature) = $file =~ m{.*/([^/]+?\.[^/.]+)\.([^/]+)\.bin$};
	ok -d "$out/findings/$target/$signature", "... and $signature of it is reported";
}
is scalar(my @half = (glob("$out/*.tmp"), glob("$out/*/*.tmp"),
	glob("$out/*/*/*.tmp"), glob("$out/*/*/*/*.tmp"))), 0, 'nothing half written';
for my $target (qw(canary_abba.planted abba.buggy bench_vma_lock.buggy)) {
	my @inputs = glob "$out/corpus/$target/*";
	cmp_ok scalar @inputs, '>', 1, "the corpora of $target are merged";
}
is scalar(my @new = glob "$out/corpus/*.new"), 0, '... whole';
my $replayed = `$heddle replay $out/findings/*/*/min.sched 2>&1`;
like $replayed, qr/ differences=0 unreadable=0 /, 'the schedules replay';

done_testing;
