#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# How many schedules does each strategy need until the first bug of the programs
# in triage/bench/programs, and how many did others?   make bench-search
#
#   perl triage/bench/search.pl [build/heddle-cc [PROGRAM...]]
#
# The bug is the program's own: assertion, crash or real deadlock; races and lock
# orders do not count.  20 fixed seeds (or those from $SEED on), at most 20,000
# schedules each.  All runs count: the profile of a program is made of the first
# schedules of each search (ARCHITECTURE.md, Strategies).  First the default, the
# portfolio; then medians of each strategy alone; then published means of others on
# the original programs (programs/README.md).
use strict;
use warnings;
use Cwd 'abs_path';
use File::Basename 'dirname';
use File::Temp 'tempdir';
use List::Util 'sum';

my $cc = abs_path(shift // 'build/heddle-cc');
my %only = map { $_ => 1 } @ARGV;
my $programs = dirname(abs_path($0)) . '/programs';
my $seed = $ENV{SEED} // 1;
my $dir = tempdir(CLEANUP => 1);
my @tools = qw(RFF POS PCT3 PERIOD);
my @strategies = qw(rf hold eager urw pos surw random reluctant pct);
my %verdict = (assert => 'assert', deadlock => 'deadlock',
	'crash (NULL)' => 'null-deref', 'use after free' => 'use-after-free',
	'double free' => 'double-free');

sub rows {
	open my $f, '<', "$programs/README.md" or die "$programs: $!\n";
	my @rows;
	while (<$f>) {
		my @cell = map { s/^\s+|\s+$//gr } split /\|/;
		next unless @cell > 10 && -e "$programs/$cell[1].c";
		my ($program, $define, undef, $failure) = @cell[1 .. 4];
		my @kinds = map { $failure =~ /\Q$_/ ? $verdict{$_} : () }
			sort keys %verdict;
		my %mean = map { $tools[$_] => $cell[7 + $_] } 0 .. $#tools;
		push @rows, { program => $program, define => $define,
			want => join(',', @kinds), mean => \%mean };
	}
	return @rows;
}

# strategy => [median, p90, mean, found]
sub measure {
	my ($row) = @_;
	my $exe = "$dir/program";
	my @define = $row->{define} ? "-D$row->{define}" : ();
	system($cc, "$programs/$row->{program}.c", '-o', $exe, @define) == 0
		or die "search: $row->{program} does not build\n";
	my %got;
	for (`$exe run --want=$row->{want} --seeds=20 --seed=$seed --schedules=20000`) {
		$got{$1} = [ $2, $3, $4, $5 ] if
			/^(\S+)\s+(>?\d+)\s+(>?\d+)\s+([\d.]+|-)\s+(\d+)\/20$/;
	}
	return \%got;
}

sub geomean { return @_ ? exp(sum(map { log } @_) / @_) : 0 }

printf "%-20s | %7s %7s %7s %5s | %s | %s\n", 'program',
	'mean', 'median', 'p90', 'found',
	join(' ', map { sprintf '%9s', $_ } @strategies),
	join(' ', map { sprintf '%7s', $_ } @tools);
my (%ours, %theirs);
for my $row (rows()) {
	next if %only && !$only{$row->{program}};
	my $name = $row->{program} . ($row->{define} ? " $row->{define}" : '');
	my $got = measure($row);
	my $all = $got->{portfolio} // [ ('-') x 4 ];
	my @means = map { $row->{mean}{$_} =~ s/ .*/*/r } @tools;
	printf "%-20s | %7s %7s %7s %5s | %s | %s\n", $name,
		@$all[2, 0, 1, 3],
		join(' ', map { sprintf '%9s', ($got->{$_} // ['-'])->[0] }
			@strategies),
		join(' ', map { sprintf '%7s', $_ } @means);
	for my $tool (@tools) {
		next unless $row->{mean}{$tool} =~ /^\d+$/ && $all->[3] eq 20;
		push @{$ours{$tool}}, $all->[2];
		push @{$theirs{$tool}}, $row->{mean}{$tool};
	}
}
print "(*: not in each of its 20 trials; -: in none)\n";
printf "geometric means over the %d programs where %s always finds it: " .
	"%.1f, heddle %.1f\n", scalar @{$ours{$_}}, $_, geomean(@{$theirs{$_}}),
	geomean(@{$ours{$_}}) for grep { $ours{$_} } @tools;
