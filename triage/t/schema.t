#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Is the JSON of reports what triage/report.schema.json says, and does each key
# that the schema has occur?  The few words of JSON Schema that it uses are
# checked by hand: no module is needed.
use strict;
use warnings;
use B ();
use FindBin;
use lib $FindBin::Bin;
use Heddle;
use JSON::PP;
use Test::More;

my $golden = "$FindBin::Bin/../golden";
my $schema = decode_json(slurp("$FindBin::Bin/../report.schema.json"));
my %seen; # names of keys, by the properties that allow them

sub type_of {
	my ($v) = @_;

	return 'null' unless defined $v;
	return 'boolean' if JSON::PP::is_bool($v);
	return ref $v eq 'HASH' ? 'object' : 'array' if ref $v;
	my $b = B::svref_2object(\$v);
	return 'string' if $b->FLAGS & B::SVf_POK;
	return $v == int $v ? 'integer' : 'number';
}

# What of v, at path, is not as schema s says: a list of lines.
sub wrong {
	my ($v, $s, $path) = @_;
	my $type = type_of($v);
	my @wrong;

	push @wrong, wrong($v, deref($s->{'$ref'}), $path) if $s->{'$ref'};
	if (my $t = $s->{type}) {
		my @t = ref $t ? @$t : ($t);
		return "$path is a $type" unless grep { $_ eq $type } @t;
	}
	push @wrong, "$path is '" . ($v // 'null') . "'"
		if $s->{enum} && !grep { defined $v && $_ eq $v } @{ $s->{enum} };
	push @wrong, "$path is '$v'"
		if defined $s->{pattern} && $type eq 'string' && $v !~ /$s->{pattern}/;
	push @wrong, "$path is $v"
		if defined $s->{minimum} && $type eq 'integer' && $v < $s->{minimum};
	push @wrong, "$path is $v"
		if defined $s->{maximum} && $type eq 'integer' && $v > $s->{maximum};
	if (my $any = $s->{anyOf}) {
		my @tries = map { [wrong($v, $_, $path)] } @$any;
		push @wrong, "$path: none of: " . join(', ', map { @$_ } @tries)
			unless grep { !@$_ } @tries;
	}
	push @wrong, wrong_keys($v, $s, $path) if $type eq 'object';
	if ($type eq 'array' && $s->{items}) {
		push @wrong, wrong($v->[$_], $s->{items}, "$path\[$_]") for 0 .. $#$v;
	}
	return @wrong;
}

sub wrong_keys {
	my ($v, $s, $path) = @_;
	my $p = $s->{properties} or return;
	my @wrong = map { "$path lacks $_" } grep { !exists $v->{$_} } @{ $s->{required} };

	for my $key (sort keys %$v) {
		$seen{$p}{$key} = 1;
		push @wrong, $p->{$key} ? wrong($v->{$key}, $p->{$key}, "$path.$key") :
			"$path.$key is unknown";
	}
	return @wrong;
}

sub deref {
	my ($ref) = @_;
	my $at = $schema;

	$ref =~ s/^#\/// or die $ref;
	$at = $at->{$_} // die "no $ref" for split /\//, $ref;
	return $at;
}

# --- what the schema says of itself
sub words {
	my ($s, $out) = @_;

	$out->{$_}++ for grep { !/^(?:\$schema|\$id|\$defs|title|description)$/ } keys %$s;
	words($_, $out) for map { values %{ $s->{$_} // {} } } qw($defs properties);
	words($_, $out) for @{ $s->{anyOf} // [] }, $s->{items} // ();
	return $out;
}
my $known = qr/^(?:\$ref|type|enum|pattern|minimum|maximum|anyOf|properties|required|items|additionalProperties)$/;
is_deeply [grep { !/$known/ } sort keys %{ words($schema, {}) }], [],
	'the schema uses no word that is not checked here';

# --- reports
my @files = (glob("$golden/*.sched"), map { glob "corpus/regress/$_/min.sched" } qw(
	timer_vs_holder.softirq/* fault_vs_killed_writer.no-reattach/*
	put_under_lock.no-put/* two_inits.plain/* uffd_copy_vs_writer.4.3-leak/*
	fault_vs_munmap.v6/held-at-user*));
my $last;
for my $file (@files) {
	my ($rc, $out) = heddle('show', '--format=json', $file);
	my @wrong = wrong($last = decode_json($out), $schema, 'report');

	is join("\n", @wrong), '', "$file is as the schema says";
}

# --- a run without a verdict
spew("$dir/clean.sched", join "\n", 'heddle schedule 1', 'scenario fault_vs_munmap:v10',
	'model 0000000000000000', 'base run-to-block seed 0', 'hash -', '');
my ($rc, $out, $err) = heddle('show', '--format=json', "$dir/clean.sched");
is decode_json($out)->{verdict}, undef, 'a run without a verdict';
is join("\n", wrong(decode_json($out), $schema, 'report')), '', '... is as the schema says';

# --- each key occurs
sub never {
	my ($s, $path, $out) = @_;
	my $p = $s->{properties} // {};

	for my $key (sort keys %$p) {
		push @$out, "$path.$key" unless $seen{$p}{$key};
		never($p->{$key}, "$path.$key", $out);
	}
	never($_, $path, $out) for @{ $s->{anyOf} // [] }, $s->{items} // ();
	return $out;
}
is_deeply never($schema, 'report', []), [], 'each key of a report occurs';
is_deeply never($schema->{'$defs'}{$_}, $_, []), [], "... of each $_"
	for qw(site verdict edit event);

# --- the check notices
sub broken {
	my ($change) = @_;
	my $j = decode_json(encode_json($last));

	$change->($j);
	return join '; ', wrong($j, $schema, 'report');
}
is broken(sub { }), '', 'a copy is right';
is broken(sub { delete $_[0]{hash} }), 'report lacks hash', '... without a key it is not';
is broken(sub { $_[0]{extra} = 1 }), 'report.extra is unknown', '... nor with one more';
is broken(sub { $_[0]{ops} = 'many' }), 'report.ops is a string', '... nor with another type';
is broken(sub { $_[0]{events}[0]{kind} = '?' }), "report.events[0].kind is '?'",
	'... nor with an unknown kind';
is broken(sub { $_[0]{hash} = 'beef' }), "report.hash is 'beef'", '... nor with a short hash';
like broken(sub { $_[0]{verdict}{fatal} = 'yes' }), qr/verdict: none of: .*fatal is a string/,
	'... nor deep inside';

done_testing;
