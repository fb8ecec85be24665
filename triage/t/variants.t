#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Is every scenario variant what its file says?
#
# Exhausted up to the number that the variant declares (the largest "at" of its
# verdicts; clean ones: their bound, or without any): exactly those verdicts, at
# those numbers; clean ones reach all their goals.  Failures and signals come as
# far as the variant declares them.  And found by `run` from 18 of 20 fixed seeds
# with a budget of three times the 90th percentile that was measured
# (budgets.tsv; UPDATE=1 measures again, with up to 200,000 schedules, UPDATE=new
# what has no row yet, with up to 5,000); what 18 of 20 do not find then has a "-"
# there and is left to the exhaustive search.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Heddle;
use JSON::PP;
use List::Util 'max';
use Test::More;

my $table = "$FindBin::Bin/budgets.tsv";
my $update = $ENV{UPDATE};

# The preemptions that are to be exhausted.
sub declared_bound {
	my ($v) = @_;
	return $v->{bound} // 'none' unless @{$v->{expect}};
	return max $v->{bound} // 0,
	    map { $_->{preemptions} // 0 } @{$v->{expect}};
}

my ($rc, $out) = heddle('list', '--json');
my @variants;
for my $s (@{decode_json($out)}) {
	for my $v (@{$s->{variants}}) {
		push @variants, { name => "$s->{name}:$v->{name}",
			expect => $v->{expect}, bound => declared_bound($v),
			sampled => $v->{sampled} };
	}
}

# --- too large to be searched: so many schedules, from a fixed seed ----------
for my $v (grep { $_->{sampled} && !$update } @variants) {
	my ($rc, $out) = heddle('run', $v->{name}, "--schedules=$v->{sampled}");
	is $rc, 0, "$v->{name}: clean in $v->{sampled} schedules" or diag $out;
}

# --- explored ----------------------------------------------------------------
for my $v (grep { !$_->{sampled} && !$update } @variants) {
	my ($rc, $out) = heddle('explore', $v->{name}, '--check');
	my $r = result($out);
	my $bound = $r->{bound};
	my $what = @{$v->{expect}} ?
	    join(', ', map { $_->{verdict} . (defined $_->{preemptions} ?
		" $_->{preemptions}" : '') } @{$v->{expect}}) : 'clean';
	my $how = $bound eq 'none' ? 'in every interleaving' :
	    "with at most $bound preemption" . ($bound == 1 ? '' : 's');
	my ($met, $goals) = split m{/}, $r->{goals} // '0/1';
	# a bug may need fewer steps than all goals
	ok $rc eq '0' && $r->{complete} eq 'yes' && $r->{expected} eq 'yes' &&
		$bound eq $v->{bound} && (@{$v->{expect}} || $met == $goals),
		"$v->{name}: $what $how" or diag $out;
}

# --- found by run ----------------------------------------------------------------
my (%p90, %median);
for (split /\n/, slurp($table)) {
	next if /^#/;
	my ($name, $verdict, $median, $p90) = split /\t/;
	$p90{"$name $verdict"} = $p90;
	$median{"$name $verdict"} = $median;
}

# Schedules that the strategy needs: median, 90th percentile, seeds that found.
sub needs {
	my ($name, $verdict, $strategy, $most) = @_;
	my ($rc, $out) = heddle('run', $name, "--want=$verdict", '--seeds=20',
		"--strategy=$strategy", "--schedules=$most");
	return $out =~
		/^\Q$strategy\E +>?(\d+) +>?(\d+) +(?:[\d.]+|-) +(\d+)\/20$/m;
}

my @rows;
for my $v (@variants) {
	for my $e (@{$v->{expect}}) {
		my $key = "$v->{name} $e->{verdict}";
		if ($update && $update eq 'new' && defined $p90{$key}) {
			push @rows, "$v->{name}\t$e->{verdict}\t" .
			    "$median{$key}\t$p90{$key}\n";
			next;
		}
		if (!$update && ($p90{$key} // '') eq '-') {
			note "$key: left to explore";
			delete $p90{$key};
			next;
		}
		my $budget = 3 * ($p90{$key} // 0);
		$budget = 20 if $budget < 20;
		$budget = $update eq 'new' ? 5000 : 200000 if $update;
		my ($median, $p90, $found) = needs($v->{name}, $e->{verdict},
			'portfolio', $budget);
		($median, $p90) = ('-', '-') if $update && $found < 18;
		push @rows, "$v->{name}\t$e->{verdict}\t$median\t$p90\n";
		next if $update;
		cmp_ok $found, '>=', 18,
			"$key: $found of 20 seeds within $budget schedules"
			or diag $p90{$key} ? '' : 'no row in budgets.tsv';
		delete $p90{$key};
	}
}
if ($update) {
	spew($table, "# scenario:variant, verdict, schedules that the portfolio " .
		"needs: median and 90th\n# percentile of 20 seeds.  Made by " .
		"UPDATE=1 prove triage/t/variants.t\n" . join '', @rows);
	diag "wrote $table";
} else {
	is join(' ', keys %p90), '', 'no row of budgets.tsv is left over';
}

# --- the main job ------------------------------------------------------------------
# POS, SURW and rf find each violation of v6 within 500 schedules, the portfolio
# within 1,000 (medians); the others are printed, not gated.
for my $verdict (qw(held-at-user detached-read-lock)) {
	my %most = (pos => 500, surw => 500, rf => 500, portfolio => 1000);
	for my $strategy (qw(pos surw rf portfolio random pct)) {
		my ($median) = needs('fault_vs_munmap:v6', $verdict, $strategy,
			20000);
		my $what = "v6 $verdict: $strategy, median $median schedules";
		if ($most{$strategy}) {
			cmp_ok $median, '<=', $most{$strategy}, $what;
		} else {
			note $what;
		}
	}
}
done_testing;
