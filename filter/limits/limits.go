package limits

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Check returns an error for the first field of the struct *options that its tags do not
// allow. The error names the flag, which is the tag name.
func Check(options any) error {
	s := reflect.ValueOf(options).Elem()
	for i := range s.NumField() {
		if err := check(s.Field(i), s.Type().Field(i).Tag); err != nil {
			return fmt.Errorf("--%s %w", s.Type().Field(i).Tag.Get("name"), err)
		}
	}
	return nil
}

func check(v reflect.Value, tag reflect.StructTag) error {
	allowed, low, above, high := tag.Get("oneof"), tag.Get("min"), tag.Get("above"), tag.Get("max")
	switch {
	case v.Kind() == reflect.Slice:
		if most := tag.Get("most"); most != "" && (v.Len() == 0 || float64(v.Len()) > limit(most)) {
			return fmt.Errorf("has %d numbers: give 1 to %s", v.Len(), most)
		}
		for i := range v.Len() {
			if err := check(v.Index(i), tag); err != nil {
				return err
			}
		}
	case allowed != "":
		if list := strings.Split(allowed, ","); !slices.ContainsFunc(list, func(a string) bool { return matches(v.String(), a) }) {
			return fmt.Errorf("%q is not %s%s", v, strings.Join(list, " or "), Hint(v.String(), list))
		}
	// NaN is in no range.
	case above != "" && !(number(v) > limit(above) && number(v) <= limit(high)):
		return fmt.Errorf("%v is not above %s and at most %s", v, above, high)
	case low != "" && high == "" && !(number(v) >= limit(low)):
		return fmt.Errorf("%v is below %s", v, low)
	case low != "" && high != "" && !(number(v) >= limit(low) && number(v) <= limit(high)):
		return fmt.Errorf("%v is not between %s and %s", v, low, high)
	}
	return nil
}

func matches(s, allowed string) bool {
	prefix, file := strings.CutSuffix(allowed, "FILE")
	return s == allowed || file && len(s) > len(prefix) && strings.HasPrefix(s, prefix)
}

func number(v reflect.Value) float64 {
	if v.CanInt() {
		return float64(v.Int())
	}
	return v.Float()
}

// limit reads a number or a duration. It panics if a tag has neither.
func limit(text string) float64 {
	if d, err := time.ParseDuration(text); err == nil {
		return float64(d)
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic(err)
	}
	return v
}
