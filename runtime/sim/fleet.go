package sim

import "fmt"

func fleet(c Config) (*model, error) { return nil, fmt.Errorf("%s is not built yet", c.Model) }
